use super::*;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use tempfile::TempDir;

/// A folder of programs that are shell scripts.
struct Programs(TempDir);

impl Programs {
    fn new() -> Programs {
        Programs(tempfile::tempdir().unwrap())
    }

    fn with(self, name: &str, script: &str) -> Programs {
        let path = self.0.path().join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        self
    }

    /// A pair that says it is of a variant; restoring runs the script.
    fn pair(self, base: &str, says: &str, script: &str) -> Programs {
        let version = format!("case \"$1\" in --version) echo 'x v1.8.9{says}'; exit 0;; esac\n{script}");
        self.with(&format!("{base}-restore"), &version).with(&format!("{base}-save"), &version)
    }

    fn find(&self, family: Family, variant: Variant) -> Result<Iptables, IptablesError> {
        Iptables::find_in(&[self.0.path().to_owned()], family, variant)
    }
}

fn failure(script: &str, input: &str) -> IptablesFailure {
    let programs = Programs::new().pair("iptables-nft", " (nf_tables)", script);
    let found = programs.find(Family::V4, Variant::Nft).unwrap();
    found.restore(input, Restore::default()).unwrap_err().failure
}

#[test]
fn versions_are_read() {
    assert_eq!(read_version("iptables-restore v1.8.9 (nf_tables)\n"), (Variant::Nft, "1.8.9".to_owned()));
    assert_eq!(read_version("ip6tables-restore v1.8.10 (legacy)\n"), (Variant::Legacy, "1.8.10".to_owned()));
    assert_eq!(read_version("iptables-restore v1.6.1\n"), (Variant::Legacy, "1.6.1".to_owned()));
    assert_eq!(read_version("verbose nonsense"), (Variant::Legacy, String::new()));
}

#[test]
fn the_full_name_goes_before_the_plain_one_and_must_not_lie() {
    let programs = Programs::new()
        .pair("iptables-nft", " (nf_tables)", "exit 0")
        .pair("iptables", " (nf_tables)", "exit 0")
        .pair("ip6tables-legacy", " (nf_tables)", "exit 0")
        .pair("ip6tables", " (legacy)", "exit 0");
    let found = programs.find(Family::V4, Variant::Nft).unwrap();
    assert!(found.restore.ends_with("iptables-nft-restore") && found.save.ends_with("iptables-nft-save"));
    let found = programs.find(Family::V6, Variant::Legacy).unwrap();
    assert!(found.restore.ends_with("ip6tables-restore"), "the other one says it is of nf_tables");
    let error = programs.find(Family::V4, Variant::Legacy).unwrap_err();
    assert_eq!(error.failure, IptablesFailure::Missing);
    assert_eq!(error.to_string(), "no program `iptables-legacy-restore` or `iptables-restore` of the wanted variant");
}

#[test]
fn text_goes_in_whatever_its_length_and_output_comes_back() {
    let programs = Programs::new().pair(
        "iptables-nft",
        " (nf_tables)",
        "[ \"$2\" = big ] && yes line | head -c 300000; cat >&2; exit 0",
    );
    let found = programs.find(Family::V4, Variant::Nft).unwrap();
    // More than a pipe holds, in both directions.
    found.restore(&"-A X -j Y\n".repeat(50_000), Restore::default()).unwrap();
    assert_eq!(found.save("big").unwrap().len(), 300_000);
}

#[test]
fn arguments_are_those_the_program_knows() {
    let programs = Programs::new().pair("iptables-nft", " (nf_tables)", "echo \"$*\" >&2; exit 1");
    let found = programs.find(Family::V4, Variant::Nft).unwrap();
    let said = |how: Restore| match found.restore("", how).unwrap_err().failure {
        IptablesFailure::Rejected { message, .. } => message,
        other => panic!("{other:?}"),
    };
    assert_eq!(said(Restore::default()), "-w 5 --noflush");
    assert_eq!(said(Restore { flush: true, lock_seconds: 9, test: true }), "-w 9 --test");
}

#[test]
fn a_rejected_line_is_named_and_shown() {
    let input = "*nat\n:A - [0:0]\n-A A -j NONSENSE\nCOMMIT\n";
    for script in [
        "echo 'iptables-nft-restore: line 3 failed' >&2; exit 1",
        "echo \"iptables-restore v1.8.9 (nf_tables): Couldn't load target NONSENSE\" >&2; echo 'Error occurred at line: 3' >&2; exit 2",
        "echo 'line 3: RULE_APPEND failed (No such file or directory): rule in chain A' >&2; exit 4",
    ] {
        let IptablesFailure::Rejected { line, text, .. } = failure(script, input) else { panic!("{script}") };
        assert_eq!((line, text.as_deref()), (Some(3), Some("-A A -j NONSENSE")), "{script}");
    }
    let silent = failure("exit 7", input);
    assert_eq!(silent, IptablesFailure::Rejected { message: "exit status 7".to_owned(), line: None, text: None });
    let killed = failure("kill -9 $$", input);
    assert!(
        matches!(&killed, IptablesFailure::Rejected { message, .. } if message == "ended by a signal"),
        "{killed:?}"
    );
}

#[test]
fn lock_and_permission_are_told_apart() {
    let locked = "echo 'Another app is currently holding the xtables lock; still 0s 0us time ahead' >&2; exit 4";
    assert!(matches!(failure(locked, ""), IptablesFailure::Locked { .. }));
    let refused = "echo 'iptables-restore v1.8.9 (legacy): Permission denied (you must be root)' >&2; exit 4";
    assert!(matches!(failure(refused, ""), IptablesFailure::NotPermitted { .. }));
}

#[test]
fn a_program_that_hangs_is_killed() {
    let programs = Programs::new().with("hangs", "echo begun; exec cat /proc/self/fd/0 </dev/zero >/dev/null");
    let limits = Limits { time: Duration::from_millis(50), bytes: 1000 };
    let error = child::run(&programs.0.path().join("hangs"), &[], "", limits).unwrap_err();
    assert_eq!(error.failure, IptablesFailure::TimedOut { after: limits.time });
    let error = child::run(Path::new("/no/such/program"), &[], "", limits).unwrap_err();
    assert_eq!(error.failure, IptablesFailure::Missing);
}
