use super::super::judge::judge;
use super::*;
use Decision::{Keep, Take, Wait};
use Doubt::{Files, RestIsEmpty, ShrankToNothing};
use Shrunk::{Both, One};
use causeway_model::masquerade::MasqueradeReader::V2;
use causeway_read::masquerade::{Directory, Flags};
use std::path::Path;

const A: &str = "nonMasqueradeCIDRs: [10.0.0.0/8]";
const B: &str = "nonMasqueradeCIDRs: [192.168.0.0/16]";
const LOCAL: &str = "masqLinkLocal: true";
const BAD: &str = "nonMasqueradeCIDRs: [10.0.0.1/8]";
const EMPTY: &str = "nonMasqueradeCIDRs: []";

fn read(files: &[&str]) -> Judged {
    let named = files.iter().enumerate().map(|(at, text)| (format!("ip-masq-{at}"), *text));
    let flags = Flags { enable_ipv6: true, ..Flags::defaults(V2) };
    judge(&flags, false, Path::new("/etc/config"), &Directory::of(named))
}

/// What is decided about each directory in turn, and what is held after it.
fn course(policy: Policy, found: bool, steps: &[(&[&str], Decision, &str)]) {
    let mut keeper = Keeper::new(policy);
    for (at, (files, expected, held)) in steps.iter().enumerate() {
        assert_eq!(keeper.decide(&read(files), found), *expected, "step {at}: {files:?}");
        let now = keeper.held().map_or("nothing".to_owned(), |held| {
            let defaults = if held.accepted.defaults { " defaults" } else { "" };
            let partial = if held.partial { " partial" } else { "" };
            format!("{}{defaults}{partial}", held.accepted.texts.join(" "))
        });
        assert_eq!(now, *held, "step {at}: {files:?}");
    }
}

#[test]
fn the_last_good_configuration_stays() {
    course(
        Policy::default(),
        false,
        &[
            (&[A], Take, "10.0.0.0/8"),
            (&[BAD], Keep(Files), "10.0.0.0/8"),
            (&[A, B], Take, "10.0.0.0/8 192.168.0.0/16"),
            (&[B, BAD], Keep(Files), "10.0.0.0/8 192.168.0.0/16"),
            (&[B], Take, "192.168.0.0/16"),
        ],
    );
}

#[test]
fn on_a_fresh_node_good_files_are_better_than_nothing() {
    course(
        Policy::default(),
        false,
        &[
            (&[A, BAD], Take, "10.0.0.0/8 partial"),
            (&[B, BAD], Take, "192.168.0.0/16 partial"),
            (&[A, B], Take, "10.0.0.0/8 192.168.0.0/16"),
            (&[A, BAD], Keep(Files), "10.0.0.0/8 192.168.0.0/16"),
        ],
    );
}

#[test]
fn strictly_one_refused_file_refuses_all() {
    let strict = Policy { strict: true, ..Policy::default() };
    course(strict, false, &[(&[A, BAD], Wait(Files), "nothing"), (&[A], Take, "10.0.0.0/8")]);
}

#[test]
fn rules_of_an_earlier_run_are_better_than_some_files() {
    course(
        Policy::default(),
        true,
        &[(&[A, BAD], Wait(Files), "nothing"), (&[BAD], Wait(Files), "nothing"), (&[EMPTY], Take, "")],
    );
}

#[test]
fn with_nothing_good_nothing_is_guessed() {
    course(
        Policy::default(),
        false,
        &[(&[BAD], Wait(Files), "nothing"), (&[LOCAL, BAD], Wait(RestIsEmpty), "nothing")],
    );
}

#[test]
fn an_empty_list_is_taken_at_the_start_and_held_back_later() {
    course(Policy::default(), false, &[(&[EMPTY], Take, ""), (&[LOCAL], Take, "")]);
    course(
        Policy::default(),
        false,
        &[
            (&[A], Take, "10.0.0.0/8"),
            (&[EMPTY], Keep(ShrankToNothing(One(Family::V4))), "10.0.0.0/8"),
            (&[LOCAL], Keep(ShrankToNothing(One(Family::V4))), "10.0.0.0/8"),
            (&[B], Take, "192.168.0.0/16"),
            (&["nonMasqueradeCIDRs: [fd00::/8]"], Keep(ShrankToNothing(One(Family::V4))), "192.168.0.0/16 fd00::/8"),
        ],
    );
    let allowed = Policy { allow_empty: true, ..Policy::default() };
    course(allowed, false, &[(&[A], Take, "10.0.0.0/8"), (&[EMPTY], Take, "")]);
}

#[test]
fn a_family_that_shrinks_to_nothing_does_not_hold_back_the_other() {
    const SIX: &str = "nonMasqueradeCIDRs: ['fd00::/8']";
    const SIX_LOCAL: &str = "nonMasqueradeCIDRs: ['fd01::/16']\nmasqLinkLocal: true\nmasqLinkLocalIPv6: true";
    course(
        Policy::default(),
        false,
        &[
            (&[A, SIX], Take, "10.0.0.0/8 fd00::/8"),
            (&[A, B], Keep(ShrankToNothing(One(Family::V6))), "10.0.0.0/8 192.168.0.0/16 fd00::/8"),
            (&[A], Keep(ShrankToNothing(One(Family::V6))), "10.0.0.0/8 fd00::/8"),
            (&[EMPTY], Keep(ShrankToNothing(Both)), "10.0.0.0/8 fd00::/8"),
            (&[BAD, SIX], Keep(Files), "10.0.0.0/8 fd00::/8"),
            (&[A, SIX], Take, "10.0.0.0/8 fd00::/8"),
        ],
    );
    let mut keeper = Keeper::new(Policy::default());
    keeper.decide(&read(&[A]), false);
    keeper.decide(&read(&[SIX_LOCAL]), false);
    let config = &keeper.held().unwrap().accepted.config;
    assert!(!config.link_local && config.link_local_v6, "each family has the rest of its own too");
}

#[test]
fn files_that_go_bring_the_built_in_list_back() {
    course(
        Policy::default(),
        false,
        &[
            (&[A, "nonMasqueradeCIDRs: [fd00::/8]"], Take, "10.0.0.0/8 fd00::/8"),
            (&[], Take, "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 defaults"),
        ],
    );
}

#[test]
fn it_is_known_whether_files_are_gone_or_never_were() {
    let mut keeper = Keeper::new(Policy::default());
    for (files, gone) in [(&[] as &[&str], false), (&[], false), (&[A], false), (&[], true), (&[], true), (&[B], false)]
    {
        keeper.decide(&read(files), false);
        assert_eq!(keeper.held().unwrap().files_gone, gone, "{files:?}");
    }
}

#[test]
fn a_directory_that_vanishes_changes_nothing() {
    let gone = Judged { unlistable: Some("gone".to_owned()), ..Judged::default() };
    let mut keeper = Keeper::new(Policy::default());
    assert_eq!(keeper.decide(&gone, false), Wait(Doubt::Directory));
    assert_eq!(keeper.decide(&read(&[A]), false), Take);
    assert_eq!(keeper.decide(&gone, false), Keep(Doubt::Directory));
    assert_eq!(keeper.held().unwrap().accepted.texts, ["10.0.0.0/8"]);
}
