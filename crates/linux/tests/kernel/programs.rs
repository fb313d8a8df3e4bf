//! The iptables programs of this machine, run as the back end runs them.

use crate::Test;
use causeway_addr::Family;
use causeway_dataplane::iptables::Detected;
use causeway_linux::iptables::{Iptables, IptablesFailure, Restore, Variant, detect, legacy_tables};
use causeway_testkit::trial::CannotProve;
use nix::fcntl::{Flock, FlockArg};
use std::fs::File;

pub(crate) const TESTS: &[Test] = &[
    ("programs::what_is_restored_is_saved", restored),
    ("programs::a_rejected_text_changes_nothing_and_its_line_is_named", rejected),
    ("programs::a_held_lock_is_told_as_such", locked),
    ("programs::the_variant_in_use_is_found", detected),
];

const CHAIN: &str = "*nat\n:X - [0:0]\n-A POSTROUTING -j X\n-A X -j RETURN\nCOMMIT\n";

fn all() -> Result<Vec<Iptables>, CannotProve> {
    let mut found = Vec::new();
    for family in Family::ALL {
        for variant in [Variant::Nft, Variant::Legacy] {
            found.push(Iptables::find(family, variant).map_err(|error| CannotProve(error.to_string()))?);
        }
    }
    Ok(found)
}

fn restored() -> Result<(), CannotProve> {
    for program in all()? {
        assert!(program.version.starts_with("1."), "{program:?}");
        program.restore(CHAIN, Restore::default()).unwrap();
        let saved = program.save("nat").unwrap();
        assert!(saved.contains("-A POSTROUTING -j X") && saved.contains("-A X -j RETURN"), "{saved}");
        program.restore("*nat\n:Y - [0:0]\nCOMMIT\n", Restore::default()).unwrap();
        assert!(program.save("nat").unwrap().contains(":X "), "what the text does not name stays");
        program.restore("*nat\n:Y - [0:0]\nCOMMIT\n", Restore { flush: true, ..Restore::default() }).unwrap();
        assert!(!program.save("nat").unwrap().contains(":X "), "unless it is asked to go");
        program.restore(CHAIN, Restore { test: true, ..Restore::default() }).unwrap();
        assert!(!program.save("nat").unwrap().contains(":X "), "a test changes nothing");
    }
    Ok(())
}

fn rejected() -> Result<(), CannotProve> {
    for program in all()? {
        for (text, at) in [
            ("*nat\n:X - [0:0]\n-A X -d 10.0.0.0/99 -j RETURN\nCOMMIT\n", 3),
            ("*nat\n:X - [0:0]\n-A X -j RETURN\n-A X --nonsense\nCOMMIT\n", 4),
            ("*nat\n:X - [0:0]\n-A X -j NO-SUCH-CHAIN\nCOMMIT\n", 3),
        ] {
            let error = program.restore(text, Restore::default()).unwrap_err();
            let IptablesFailure::Rejected { line, text: shown, .. } = &error.failure else { panic!("{error}") };
            // The kernel's own refusals come when all is committed, and then some programs name the last line.
            assert!(line.is_some_and(|line| line >= at) && shown.is_some(), "{} {error}", program.variant);
            assert!(!program.save("nat").unwrap().contains(":X "), "{error}");
        }
    }
    Ok(())
}

fn locked() -> Result<(), CannotProve> {
    let program = Iptables::find(Family::V4, Variant::Legacy).map_err(|error| CannotProve(error.to_string()))?;
    let file = File::create("/run/xtables.lock").unwrap();
    let lock = Flock::lock(file, FlockArg::LockExclusive).map_err(|(_, errno)| errno).unwrap();
    let error = program.restore(CHAIN, Restore { lock_seconds: 1, ..Restore::default() }).unwrap_err();
    assert!(matches!(error.failure, IptablesFailure::Locked { .. }), "{error}");
    drop(lock.unlock());
    program.restore(CHAIN, Restore { lock_seconds: 1, ..Restore::default() }).unwrap();
    Ok(())
}

fn detected() -> Result<(), CannotProve> {
    let legacy = Iptables::find(Family::V4, Variant::Legacy).map_err(|error| CannotProve(error.to_string()))?;
    let nft = Iptables::find(Family::V4, Variant::Nft).map_err(|error| CannotProve(error.to_string()))?;
    let first = detect(Family::V4).unwrap();
    assert!(matches!(first, Detected::Plain(_)), "{first}");
    assert!(legacy_tables(Family::V4).is_empty(), "asking made no tables");
    legacy.restore(CHAIN, Restore::default()).unwrap();
    assert_eq!(legacy_tables(Family::V4), ["nat"]);
    assert_eq!(detect(Family::V4).unwrap(), Detected::Used(Variant::Legacy));
    nft.restore("*mangle\n:KUBE-KUBELET-CANARY - [0:0]\nCOMMIT\n", Restore::default()).unwrap();
    let hinted = detect(Family::V4).unwrap();
    assert_eq!(hinted, Detected::Marked { variant: Variant::Nft, chain: "KUBE-KUBELET-CANARY", both: false });
    Ok(())
}
