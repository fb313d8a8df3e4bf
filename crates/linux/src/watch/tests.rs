use super::*;
use crate::event::wait;
use std::fs;
use std::os::unix::fs::symlink;
use std::time::Duration;

/// An event comes at once or not at all; the time is only how long a failing test takes.
fn told(watch: &mut Watch) -> bool {
    let ready = wait(&[watch.as_fd()], Some(Duration::from_secs(5))).unwrap();
    ready == [true] && watch.changed().unwrap()
}

fn quiet(watch: &mut Watch) -> bool {
    !watch.changed().unwrap()
}

/// What the kubelet does: a new folder of the time, a link to it beside the old link, one rename.
fn swap(directory: &Path, version: &str, content: &str) {
    let folder = format!("..{version}");
    fs::create_dir(directory.join(&folder)).unwrap();
    fs::write(directory.join(&folder).join("ip-masq-agent"), content).unwrap();
    symlink(&folder, directory.join("..data_tmp")).unwrap();
    fs::rename(directory.join("..data_tmp"), directory.join("..data")).unwrap();
}

#[test]
fn a_config_map_that_is_swapped_is_told() {
    let folder = tempfile::tempdir().unwrap();
    swap(folder.path(), "1", "a");
    symlink("..data/ip-masq-agent", folder.path().join("ip-masq-agent")).unwrap();
    let mut watch = Watch::new(folder.path()).unwrap();
    assert!(watch.is_present() && quiet(&mut watch));
    swap(folder.path(), "2", "b");
    assert!(told(&mut watch));
    assert_eq!(fs::read_to_string(folder.path().join("ip-masq-agent")).unwrap(), "b");
    assert!(quiet(&mut watch));
}

#[test]
fn files_written_renamed_removed_and_made_unreadable_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut watch = Watch::new(folder.path()).unwrap();
    let (one, two) = (folder.path().join("ip-masq-1"), folder.path().join("ip-masq-2"));
    fs::write(&one, "x").unwrap();
    assert!(told(&mut watch));
    fs::rename(&one, &two).unwrap();
    assert!(told(&mut watch));
    let mut permissions = fs::metadata(&two).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&two, permissions).unwrap();
    assert!(told(&mut watch));
    fs::remove_file(&two).unwrap();
    assert!(told(&mut watch));
    assert!(quiet(&mut watch));
}

#[test]
fn reading_is_not_told() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("ip-masq"), "x").unwrap();
    let mut watch = Watch::new(folder.path()).unwrap();
    fs::read(folder.path().join("ip-masq")).unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    assert!(quiet(&mut watch));
}

#[test]
fn a_directory_that_vanishes_and_comes_back_is_told_both_times_and_watched_again() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("etc/config");
    fs::create_dir_all(&directory).unwrap();
    let mut watch = Watch::new(&directory).unwrap();
    fs::remove_dir(&directory).unwrap();
    assert!(told(&mut watch) && !watch.is_present());
    // Its parent too, and both come back in one go.
    fs::remove_dir(folder.path().join("etc")).unwrap();
    assert!(told(&mut watch) && !watch.is_present());
    fs::create_dir_all(&directory).unwrap();
    assert!(told(&mut watch) && watch.is_present());
    fs::write(directory.join("ip-masq"), "x").unwrap();
    assert!(told(&mut watch));
}

#[test]
fn a_parent_that_is_renamed_away_takes_the_directory_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("a/b/config");
    fs::create_dir_all(&directory).unwrap();
    let mut watch = Watch::new(&directory).unwrap();
    fs::rename(folder.path().join("a"), folder.path().join("old")).unwrap();
    assert!(told(&mut watch) && !watch.is_present());
    fs::rename(folder.path().join("old"), folder.path().join("a")).unwrap();
    assert!(told(&mut watch) && watch.is_present());
}

#[test]
fn a_directory_made_after_the_watch_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("later");
    let mut watch = Watch::new(&directory).unwrap();
    assert!(!watch.is_present() && quiet(&mut watch));
    fs::write(folder.path().join("neighbour"), "x").unwrap();
    assert!(quiet(&mut watch));
    fs::create_dir(&directory).unwrap();
    assert!(told(&mut watch) && watch.is_present());
}

#[test]
fn a_link_to_the_directory_that_is_swapped_is_told() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["one", "two"] {
        fs::create_dir(folder.path().join(name)).unwrap();
    }
    let link = folder.path().join("config");
    symlink("one", &link).unwrap();
    let mut watch = Watch::new(&link).unwrap();
    symlink("two", folder.path().join("next")).unwrap();
    fs::rename(folder.path().join("next"), &link).unwrap();
    assert!(told(&mut watch) && watch.is_present());
    fs::write(folder.path().join("two/ip-masq"), "x").unwrap();
    assert!(told(&mut watch));
}

#[test]
fn what_tells_nobody_is_found_by_asking() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["one/config", "two/config"] {
        fs::create_dir_all(folder.path().join(name)).unwrap();
    }
    // The link is two steps away from the path that is watched: no name on the way changes.
    symlink("one", folder.path().join("inner")).unwrap();
    symlink("inner/config", folder.path().join("outer")).unwrap();
    let mut watch = Watch::new(&folder.path().join("outer")).unwrap();
    assert!(!watch.verify().unwrap());
    fs::remove_file(folder.path().join("inner")).unwrap();
    symlink("two", folder.path().join("inner")).unwrap();
    assert!(quiet(&mut watch));
    assert!(watch.verify().unwrap() && !watch.verify().unwrap());
    fs::write(folder.path().join("two/config/ip-masq"), "x").unwrap();
    assert!(told(&mut watch));
}

#[test]
fn a_file_that_is_being_written_is_known_until_it_is_closed() {
    use std::io::Write as _;
    let folder = tempfile::tempdir().unwrap();
    let mut watch = Watch::new(folder.path()).unwrap();
    let mut file = fs::File::create(folder.path().join("slow")).unwrap();
    file.write_all(b"a").unwrap();
    assert!(told(&mut watch));
    let open: Vec<_> = watch.being_written().iter().collect();
    assert_eq!(open, ["slow"]);
    drop(file);
    assert!(told(&mut watch) && watch.being_written().is_empty());
    // What is put in its place, or removed, is not written any more.
    let mut file = fs::File::create(folder.path().join("slow")).unwrap();
    file.write_all(b"b").unwrap();
    fs::write(folder.path().join("other"), "whole").unwrap();
    fs::rename(folder.path().join("other"), folder.path().join("slow")).unwrap();
    assert!(told(&mut watch) && watch.being_written().is_empty());
}
