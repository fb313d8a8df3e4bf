use super::*;
use std::fs;
use std::os::unix::fs::symlink;

fn pod(name: &str, label: &str) -> String {
    format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, namespace: shop, labels: {{app: {label}}}}}\n")
}

/// A file that was written long ago.
fn put(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    old(&path);
}

/// Its times are its own; that it was changed just now can't be helped, and is waited for.
fn old(path: &Path) {
    while Stamp::of(&fs::metadata(path).unwrap()).changed > (0, 0)
        && age(&Stamp::of(&fs::metadata(path).unwrap())).is_none_or(|age| age < YOUNG)
    {
        std::thread::yield_now();
    }
}

fn names(changes: &[(Key, Stated)]) -> Vec<String> {
    changes.iter().map(|(key, stated)| format!("{key} x{}", stated.len())).collect()
}

#[test]
fn only_what_changed_is_read_and_said() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "a.yaml", &format!("{}---\n{}", pod("a", "x"), pod("b", "x")));
    put(
        folder.path(),
        "c.json",
        "{\"apiVersion\": \"v1\", \"kind\": \"Namespace\", \"metadata\": {\"name\": \"shop\"}}",
    );
    put(folder.path(), "notes.txt", "not looked at");
    put(folder.path(), ".hidden.yaml", "not looked at");
    fs::create_dir(folder.path().join("inner.yaml")).unwrap();
    let mut source = Folder::new(folder.path());
    assert_eq!(names(&source.changes()), ["Namespace/shop x1", "Pod/shop/a x1", "Pod/shop/b x1"]);
    assert_eq!(source.standing(), Standing::default());
    assert_eq!((names(&source.changes()), source.reads), (vec![], 2), "nothing changed");
    put(folder.path(), "a.yaml", &format!("{}---\n{}", pod("a", "x"), pod("b", "y")));
    assert_eq!((names(&source.changes()), source.reads), (vec!["Pod/shop/b x1".to_owned()], 3));
    put(folder.path(), "b.yaml", &pod("a", "x"));
    assert_eq!(names(&source.changes()), ["Pod/shop/a x2"]);
    fs::remove_file(folder.path().join("a.yaml")).unwrap();
    assert_eq!(names(&source.changes()), ["Pod/shop/a x1", "Pod/shop/b x0"]);
    // The same bytes in a new file are nothing new.
    let parses = source.parses;
    put(folder.path(), "beside", &pod("a", "x"));
    fs::rename(folder.path().join("beside"), folder.path().join("b.yaml")).unwrap();
    old(&folder.path().join("b.yaml"));
    assert_eq!((names(&source.changes()), source.parses), (vec![], parses));
}

#[test]
fn a_file_that_cannot_be_read_keeps_what_it_said() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "a.yaml", &pod("a", "x"));
    let mut source = Folder::new(folder.path());
    source.changes();
    for text in ["", "kind: [", "kind: Pod\napiVersion: v1\n", "just words\n"] {
        put(folder.path(), "a.yaml", text);
        assert_eq!(names(&source.changes()), [] as [&str; 0], "{text}");
        let known = &source.files()["a.yaml"];
        assert!(known.trouble.is_some() && known.objects() == 1 && !known.is_silent(), "{text}: {known:?}");
        assert_eq!(source.standing(), Standing::default());
    }
    fs::remove_file(folder.path().join("a.yaml")).unwrap();
    symlink("nowhere", folder.path().join("a.yaml")).unwrap();
    assert_eq!(names(&source.changes()), [] as [&str; 0]);
    assert_eq!(source.files()["a.yaml"].trouble.as_deref(), Some("no such file or directory"));
    fs::remove_file(folder.path().join("a.yaml")).unwrap();
    fs::create_dir(folder.path().join("a.yaml")).unwrap();
    old(&folder.path().join("a.yaml"));
    assert_eq!(names(&source.changes()), [] as [&str; 0]);
    let known = &source.files()["a.yaml"];
    assert_eq!((known.trouble.as_deref(), known.objects()), (Some("not a regular file"), 1));
    fs::remove_dir(folder.path().join("a.yaml")).unwrap();
    put(folder.path(), "a.yaml", &pod("b", "x"));
    assert_eq!(names(&source.changes()), ["Pod/shop/a x0", "Pod/shop/b x1"]);
    assert_eq!(source.files()["a.yaml"].trouble, None);
}

#[test]
fn what_was_never_read_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("manifests");
    let mut source = Folder::new(&path);
    assert!(source.changes().is_empty() && source.standing().silent[0].starts_with("folder"));
    fs::create_dir(&path).unwrap();
    source.changes();
    assert!(source.trouble().unwrap().contains("no manifest is in it"));
    put(&path, "a.yaml", "kind: [");
    put(&path, "b.yaml", &pod("b", "x"));
    assert_eq!(names(&source.changes()), ["Pod/shop/b x1"]);
    assert_eq!(source.standing().silent, ["file `a.yaml`"]);
    // What is gone says nothing any more; a folder that is gone has said all that is known.
    fs::remove_file(path.join("a.yaml")).unwrap();
    source.changes();
    assert_eq!(source.standing().silent, [] as [&str; 0]);
    fs::remove_dir_all(&path).unwrap();
    assert!(source.changes().is_empty() && source.trouble().is_some());
    assert_eq!(source.files()["b.yaml"].objects(), 1);
}

#[test]
fn a_file_that_is_young_or_open_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "a.yaml", &pod("a", "x"));
    let mut source = Folder::new(folder.path());
    source.changes();
    source.being_written(&[OsString::from("a.yaml")].into());
    put(folder.path(), "a.yaml", &pod("a", "y"));
    assert_eq!(names(&source.changes()), [] as [&str; 0]);
    assert_eq!(source.files()["a.yaml"].trouble.as_deref(), Some("somebody is writing it"));
    source.being_written(&BTreeSet::new());
    assert_eq!(names(&source.changes()), ["Pod/shop/a x1"]);
    assert_eq!(source.files()["a.yaml"].trouble, None);
    // A file from the future, after a clock was set back, is read all the same.
    let stamp = Stamp { inode: (0, 0), size: 0, modified: (i64::MAX / 4, 0), changed: (0, 0) };
    assert_eq!(age(&stamp), Some(Duration::MAX));
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let seconds = i64::try_from(now.as_secs()).unwrap();
    let young = Stamp { changed: (seconds, i64::from(now.subsec_nanos())), modified: (0, 0), ..stamp };
    assert!(age(&young).is_none_or(|age| age < Duration::from_secs(1)));
}
