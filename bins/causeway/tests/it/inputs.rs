//! What is given, and what can't be used.

use crate::support::{TODAY, run_in, write};
use std::path::Path;
use tempfile::TempDir;

const DESIGN: &str = "causeway: 1\nname: x\nnetworks: {spoke: {prefixes: [10.0.0.0/16]}}\n";

fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        write(&folder.path().join(name), bytes);
    }
    folder
}

fn check(folder: &Path, args: &[&str]) -> crate::support::Run {
    run_in(folder, &[&["check", "--as-of", TODAY], args].concat(), DESIGN)
}

/// Exit 2, nothing that looks like an answer, no panic, and each of the words.
fn refused(name: &str, bytes: &[u8], words: &[&str]) {
    let folder = folder(&[(name, bytes)]);
    let run = check(folder.path(), &[name]);
    assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{name}: {}", run.stderr);
    assert!(!run.stderr.contains("panicked"), "{name}: {}", run.stderr);
    for word in words.iter().chain(&[name]) {
        assert!(run.stderr.contains(word), "{name}: `{word}` in {}", run.stderr);
    }
}

#[test]
fn what_cannot_be_read_is_named_with_its_place() {
    refused("empty.yaml", b"", &["empty"]);
    refused("blank.yaml", b"\n# nothing\n", &["empty, or all comments"]);
    refused("latin.yaml", b"causeway: 1\nname: \xe9\n", &["line 2"]);
    refused("binary.json", b"\x00\x01\x02\x03", &["line 1"]);
    refused("twice.yaml", b"causeway: 1\nname: a\nname: b\n", &["twice.yaml:3:1"]);
    refused("list.yaml", b"- 1\n- 2\n", &["can't tell what"]);
    refused("type.yaml", b"causeway: 1\nnetworks: [a]\n", &["type.yaml:2:"]);
    refused("cut.json", b"{\"causeway\": 1, \"networks\": {", &["cut.json:1:"]);
    refused("tabs.yaml", b"causeway: 1\nnetworks:\n\tspoke: {}\n", &["tabs.yaml:3:"]);
    refused("zone.yaml", b"causeway: 1\nhosts: {a: {ip: \"fe80::1%eth0\"}}\n", &["zone.yaml:2:"]);
    refused("mapped.yaml", b"causeway: 1\nnetworks: {a: {prefixes: [\"::ffff:10.0.0.0/104\"]}}\n", &["mapped.yaml:2:"]);
    refused("octal.yaml", b"causeway: 1\nnetworks: {a: {prefixes: [010.0.0.0/8]}}\n", &["leading zero"]);
    refused("deep.json", "[".repeat(100_000).as_bytes(), &["deep.json:1:"]);
    refused("deep.yaml", "a: {".repeat(10_000).as_bytes(), &["deep.yaml:1:"]);
}

#[test]
fn documents_that_expand_without_end_are_refused() {
    let mut laughs = String::from("causeway: 1\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let before = format!("*a{}", level - 1);
        laughs.push_str(&format!("a{level}: &a{level} [{}]\n", vec![before; 10].join(", ")));
    }
    refused("laughs.yaml", laughs.as_bytes(), &["laughs.yaml:"]);
    refused("self.yaml", b"causeway: 1\nname: &a [*a]\n", &["self.yaml:2:"]);
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the test makes a file without writing its bytes")]
fn a_file_that_is_too_large_is_refused_before_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::File::create(folder.path().join("huge.json")).unwrap().set_len(200_000_000).unwrap();
    let run = check(folder.path(), &["huge.json"]);
    assert_eq!((run.code, run.stdout.as_str()), (2, ""));
    assert!(run.stderr.contains("`huge.json` can't be read: it has 190 MiB"), "{}", run.stderr);
    assert!(run.stderr.contains("help: "), "{}", run.stderr);
}

#[test]
fn paths_that_lead_nowhere_are_all_named() {
    let folder = folder(&[("notes/readme.txt", b"x"), ("d.yaml", DESIGN.as_bytes())]);
    let run = check(folder.path(), &["missing.yaml", "notes", "d.yaml", "gone/"]);
    assert_eq!((run.code, run.stdout.as_str()), (2, ""));
    for words in ["`missing.yaml` can't be read: ", "the folder `notes` holds no file that ends in .yaml", "`gone/`"] {
        assert!(run.stderr.contains(words), "{words} in {}", run.stderr);
    }
}

#[test]
fn a_folder_is_one_design() {
    let parts: &[(&str, &[u8])] = &[
        ("net/design.yaml", b"causeway: 1\nname: whole\nnetworks: {spoke: {prefixes: [10.0.0.0/16]}}\n"),
        (
            "net/deeper/more.yml",
            b"causeway: 1\nnetworks: {hub: {prefixes: [10.0.0.0/24]}}\npeerings: [{between: [spoke, hub]}]\n",
        ),
        ("net/.hidden.yaml", b"this is: [not yaml"),
        ("net/.git/config.json", b"{"),
        ("net/notes.txt", b"{"),
    ];
    let folder = folder(parts);
    let run = check(folder.path(), &["net", "--format", "json"]);
    let answer = run.json();
    assert_eq!((run.code, answer["design"].as_str()), (1, Some("whole")), "{}", run.stdout);
    assert_eq!(answer["findings"][0]["code"], "networks-overlap");
}

#[test]
fn what_is_found_in_a_folder_and_not_known_is_said() {
    let folder =
        folder(&[("net/d.yaml", DESIGN.as_bytes()), ("net/package.json", b"{\"name\": \"x\", \"private\": true}")]);
    let run = check(folder.path(), &["net"]);
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    assert!(run.stdout.contains("1 thing not understood (`-v` lists them)"), "{}", run.stdout);
    let verbose = check(folder.path(), &["net", "-v"]);
    assert!(verbose.stdout.contains("net/package.json:1:1: can't tell what"), "{}", verbose.stdout);
}

#[test]
fn a_file_given_twice_says_everything_once() {
    let folder = folder(&[("d.yaml", DESIGN.as_bytes())]);
    let run = check(folder.path(), &["d.yaml", "./d.yaml", "."]);
    assert_eq!(run.code, 0, "{}", run.stderr);
}

#[test]
fn standard_input_is_read_once() {
    let folder = tempfile::tempdir().unwrap();
    let run = check(folder.path(), &["-", "-", "-q"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stdout.contains("`x` passed: 0 errors, 0 warnings, "), "{}", run.stdout);
}

#[test]
fn masquerade_files_and_manifests_are_included_by_path() {
    let design = b"causeway: 1\nclusters: {prod: {mode: overlay, manifests: ['k8s/*.yaml', more], masquerade: {files: {ip-masq-agent: {path: ./masq.yaml}}}}}\n";
    let service = b"apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n";
    let folder = folder(&[
        ("net/design.yaml", design),
        ("net/masq.yaml", b"nonMasqueradeCIDRs: [10.0.0.0/16]\n"),
        ("net/k8s/a.yaml", service),
        ("net/more/b.yaml", b"apiVersion: v1\nkind: Namespace\nmetadata: {name: b}\n"),
    ]);
    for args in [&["net/design.yaml", "--format", "json"], &["net", "--format", "json"]] {
        let run = check(folder.path(), args);
        assert!(run.code < 2, "{args:?}: {}", run.stderr);
    }
    let broken = run_in(folder.path(), &["check", "-"], "causeway: 1\nclusters: {prod: {manifests: [none/*.yaml]}}\n");
    assert_eq!(broken.code, 2);
    assert!(broken.stderr.contains("no file matches `none/*.yaml`"), "{}", broken.stderr);
}

#[cfg(unix)]
#[test]
fn links_are_followed_and_never_in_circles() {
    let folder = folder(&[
        ("net/d.yaml", DESIGN.as_bytes()),
        ("other/e.yaml", b"causeway: 1\nhosts: {a: {ip: 10.0.0.9, network: spoke}}\n"),
    ]);
    let link =
        |to: &str, from: &str| std::os::unix::fs::symlink(folder.path().join(to), folder.path().join(from)).unwrap();
    link("net", "net/again");
    link("other", "net/other");
    link("nowhere", "net/broken.yaml");
    let run = check(folder.path(), &["net", "--format", "json"]);
    assert!(run.code < 2, "{}", run.stderr);
    assert_eq!(run.json()["design"], "x");
}

#[test]
fn a_byte_order_mark_is_no_trouble() {
    let folder = folder(&[("bom.yaml", format!("\u{feff}{DESIGN}").as_bytes())]);
    assert_eq!(check(folder.path(), &["bom.yaml"]).code, 0);
    let wide: Vec<u8> = std::iter::once(0xfeff).chain(DESIGN.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    write(&folder.path().join("wide.yaml"), &wide);
    let run = check(folder.path(), &["wide.yaml"]);
    assert!(matches!(run.code, 0 | 2) && !run.stderr.contains("panicked"), "{}", run.stderr);
}

#[test]
fn what_is_neither_file_nor_folder_is_refused() {
    let folder = folder(&[("a.yaml", DESIGN.as_bytes())]);
    let run = check(folder.path(), &["/dev/zero"]);
    assert_eq!(run.code, 2, "{}", run.stderr);
    assert!(
        run.stderr.contains("neither a file nor a folder") && run.stderr.contains("read standard input"),
        "{}",
        run.stderr
    );
    assert_eq!(check(folder.path(), &["a.yaml"]).code, 0);
    assert_eq!(check(folder.path(), &["-"]).code, 0);
}
