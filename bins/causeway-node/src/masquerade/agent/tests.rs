use super::super::kernel::Shadowing;
use super::super::kernel::fake::Fake;
use super::super::options::{self, Manner};
use super::*;

const A: &str = "nonMasqueradeCIDRs: [10.0.0.0/8]";
const B: &str = "nonMasqueradeCIDRs: [192.168.0.0/16]";
const BAD: &str = "nonMasqueradeCIDRs: [10.0.0.1/8]";

fn agent(arguments: &[&str]) -> Agent<Fake> {
    let arguments: Vec<String> = arguments.iter().map(|text| (*text).to_owned()).collect();
    let options = options::read(Manner::DropIn, &arguments).unwrap();
    Agent::new(options, Fake::default(), Shared::default())
}

fn files(texts: &[&str]) -> Directory {
    Directory::of(texts.iter().enumerate().map(|(at, text)| (format!("ip-masq-{at}"), *text)))
}

fn look(agent: &mut Agent<Fake>, wake: Wake, texts: &[&str]) -> Next {
    agent.look_at(wake, &files(texts), Instant::now())
}

#[test]
fn nothing_is_written_while_nothing_changes() {
    let mut agent = agent(&[]);
    assert_eq!(look(&mut agent, Wake::Start, &[A]), Next::Wait);
    for wake in [Wake::Resync, Wake::Files, Wake::Rules] {
        assert_eq!(look(&mut agent, wake, &[A]), Next::Wait);
    }
    assert_eq!(agent.kernel.writes, 1);
    let status = agent.status();
    assert!(status.in_place && status.is_ready() && status.reasons().is_empty());
    assert_eq!((status.writes, status.looks["in-place"], status.repairs.len()), (1, 4, 0));
}

#[test]
fn rules_that_others_change_are_put_right_and_counted() {
    let mut agent = agent(&[]);
    look(&mut agent, Wake::Start, &[A]);
    agent.kernel.rules = None;
    assert_eq!(agent.put_in_place(Wake::Rules, Instant::now()), Next::Wait);
    agent.kernel.rules = None;
    look(&mut agent, Wake::Resync, &[A]);
    assert_eq!(agent.kernel.exempt(), ["10.0.0.0/8"]);
    let repairs: Vec<_> = agent.status().repairs.clone().into_iter().collect();
    assert_eq!(repairs, [("notification", 1), ("resync", 1)]);
}

#[test]
fn rules_of_others_come_and_go_with_every_look_at_them() {
    let mut agent = agent(&[]);
    look(&mut agent, Wake::Start, &[A]);
    let theirs = Shadowing { owner: "unknown", expected: false, words: "theirs".to_owned() };
    for wake in [Wake::Resync, Wake::Others] {
        agent.kernel.others = vec![theirs.clone()];
        for blind in [Wake::Rules, Wake::Files] {
            look(&mut agent, blind, &[A]);
            assert!(agent.status().reasons().is_empty(), "repairs and files don't wait for it");
        }
        look(&mut agent, wake, &[A]);
        assert_eq!(agent.status().reasons(), [("shadowed", "theirs".to_owned())]);
        agent.kernel.others.clear();
        look(&mut agent, wake, &[A]);
        assert!(agent.status().reasons().is_empty());
    }
    assert_eq!(agent.kernel.writes, 1);
}

#[test]
fn rules_that_others_change_again_and_again_are_a_reason_and_are_put_right_calmly() {
    let mut agent = agent(&[]);
    look(&mut agent, Wake::Start, &[A]);
    let other = Settings { random_fully: false, ..agent.kernel.rules.clone().unwrap() };
    for time in 0..20 {
        let calm = agent.patience(Instant::now());
        assert_eq!(calm > Duration::ZERO, time >= 8, "{time}");
        assert_eq!(agent.status().reasons().iter().any(|(word, _)| *word == "contested"), time >= 6, "{time}");
        agent.kernel.rules = Some(other.clone());
        agent.put_in_place(Wake::Rules, Instant::now());
        assert_ne!(agent.kernel.rules.as_ref(), Some(&other));
    }
    assert!(agent.status().is_ready(), "they are in place");
    agent.status().broken = true;
    assert!(!agent.status().is_ready());
    assert_eq!(agent.status().reasons()[0].0, "rules-changed");
    agent.put_in_place(Wake::Rules, Instant::now());
    assert!(agent.status().is_ready(), "they were looked at");
    agent.status().contested = Some(Instant::now());
    assert!(agent.status().reasons().is_empty(), "it is over");
}

#[test]
fn a_new_configuration_is_no_repair() {
    let mut agent = agent(&[]);
    look(&mut agent, Wake::Start, &[A]);
    look(&mut agent, Wake::Files, &[B]);
    assert_eq!(agent.kernel.exempt(), ["192.168.0.0/16"]);
    assert!(agent.status().repairs.is_empty());
}

#[test]
fn a_refused_file_keeps_the_rules_and_their_healing() {
    let mut agent = agent(&[]);
    look(&mut agent, Wake::Start, &[A]);
    look(&mut agent, Wake::Files, &[A, BAD]);
    agent.kernel.rules = None;
    agent.put_in_place(Wake::Rules, Instant::now());
    assert_eq!(agent.kernel.exempt(), ["10.0.0.0/8"]);
    let status = agent.status();
    assert!(status.is_ready(), "packets are treated as they were");
    assert_eq!(status.reasons()[0].0, "file-refused");
    assert_eq!(status.files["ip-masq-1"].0, 0);
}

#[test]
fn with_nothing_good_the_kernel_is_not_touched() {
    let mut agent = agent(&[]);
    assert_eq!(look(&mut agent, Wake::Start, &[BAD]), Next::Wait);
    assert_eq!(agent.kernel.writes, 0);
    assert!(!agent.status().is_ready());
}

#[test]
fn rules_of_an_earlier_run_stay_until_all_files_are_good() {
    let mut before = agent(&[]);
    look(&mut before, Wake::Start, &[A, B]);
    let mut agent = agent(&[]);
    agent.kernel.rules = before.kernel.rules.take();
    look(&mut agent, Wake::Start, &[A, BAD]);
    assert_eq!(agent.kernel.exempt(), ["10.0.0.0/8", "192.168.0.0/16"]);
    look(&mut agent, Wake::Files, &[A]);
    assert_eq!(agent.kernel.exempt(), ["10.0.0.0/8"]);
}

#[test]
fn a_kernel_that_refuses_is_reported_and_left_alone_until_the_next_look() {
    let mut agent = agent(&[]);
    agent.kernel.failures.push_back(Failure::Blocked("no".to_owned()));
    assert_eq!(look(&mut agent, Wake::Start, &[A]), Next::Wait, "it is not tried again at once");
    let status = agent.status().clone();
    assert_eq!(status.blocked.as_deref(), Some("no"));
    assert!(!status.is_ready());
    assert_eq!(status.to_json(Instant::now())["status"], "blocked");
    look(&mut agent, Wake::Resync, &[A]);
    assert!(agent.status().is_ready() && agent.status().blocked.is_none());
}

#[test]
fn the_data_plane_that_takes_over_gets_the_merged_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("merged");
    let mut agent = agent(&["--merged-config", path.to_str().unwrap()]);
    agent.kernel.failures.push_back(Failure::Blocked("no".to_owned()));
    look(&mut agent, Wake::Start, &[A, B]);
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(
        text,
        "{\"nonMasqueradeCIDRs\":[\"10.0.0.0/8\",\"192.168.0.0/16\"],\"masqLinkLocal\":false,\"masqLinkLocalIPv6\":false}\n"
    );
    assert!(agent.status().is_ready(), "the other data plane has what it needs");
}

#[test]
fn a_merged_configuration_that_cannot_be_written_is_said() {
    let mut agent = agent(&["--merged-config=/nowhere/at/all"]);
    look(&mut agent, Wake::Start, &[A]);
    assert!(agent.status().is_ready());
    assert_eq!(agent.status().reasons()[0].0, "merged-config");
}

#[test]
fn failures_are_tried_again_with_longer_and_longer_waits() {
    let mut agent = agent(&["--resync-interval=1"]);
    for _ in 0..8 {
        agent.kernel.failures.push_back(Failure::Busy("x".to_owned()));
    }
    let waits: Vec<Duration> = (0..8)
        .map(|_| match look(&mut agent, Wake::Resync, &[A]) {
            Next::Retry(wait) => wait,
            next => panic!("{next:?}"),
        })
        .collect();
    let millis = [50, 100, 200, 400, 800, 1000, 1000, 1000].map(Duration::from_millis);
    assert_eq!(waits, millis);
    assert_eq!(look(&mut agent, Wake::Resync, &[A]), Next::Wait);
    agent.kernel.failures.push_back(Failure::Other("y".to_owned()));
    assert_eq!(look(&mut agent, Wake::Resync, &[A]), Next::Retry(FIRST_RETRY));
    assert_eq!(agent.status().reasons()[0], ("rules-not-in-place", "y".to_owned()));
}

#[test]
fn a_lock_that_others_hold_is_waited_for_and_said() {
    let locked = || Failure::Locked("others have it".to_owned());
    let mut agent = agent(&[]);
    agent.kernel.failures.extend((0..8).map(|_| locked()));
    let waits: Vec<Next> = (0..8).map(|_| look(&mut agent, Wake::Resync, &[A])).collect();
    let millis = [50, 100, 200, 400, 800, 1000, 1000, 1000].map(|wait| Next::Retry(Duration::from_millis(wait)));
    assert_eq!(waits, millis, "though the interval is a minute");
    let said = ("rules-not-in-place", "waiting for the xtables lock: others have it".to_owned());
    assert_eq!(agent.status().reasons(), [said]);
    look(&mut agent, Wake::Resync, &[A]);
    assert!(agent.status().is_ready() && agent.status().reasons().is_empty());
}

#[test]
fn on_request_a_lock_is_waited_for_as_long_as_the_original_waits() {
    let mut agent = agent(&["--exit-on-error"]);
    agent.kernel.failures.extend((0..2).map(|_| Failure::Locked("no".to_owned())));
    assert_eq!(look(&mut agent, Wake::Start, &[A]), Next::Retry(FIRST_RETRY));
    agent.locked = Instant::now().checked_sub(LOCK_PATIENCE);
    assert!(matches!(look(&mut agent, Wake::Resync, &[A]), Next::End(_)));
}

#[test]
fn on_request_errors_end_it_in_the_originals_words() {
    let mut bad = agent(&["--exit-on-error"]);
    let Next::End(words) = look(&mut bad, Wake::Start, &[A, BAD]) else { panic!("it goes on") };
    assert_eq!(
        words,
        "the daemon encountered an error: error syncing configuration: config file \"ip-masq-1\" is invalid: CIDR \"10.0.0.1/8\" is not \
         aligned to a CIDR block, ip: \"10.0.0.1\" network: \"10.0.0.0/8\""
    );
    assert_eq!(bad.kernel.writes, 0);

    let mut refused = agent(&["--exit-on-error"]);
    refused.kernel.failures.push_back(Failure::Blocked("no".to_owned()));
    let expected = "the daemon encountered an error: error syncing masquerade rules: no".to_owned();
    assert_eq!(look(&mut refused, Wake::Start, &[A]), Next::End(expected));
}

#[test]
fn once_touches_nothing_when_a_file_is_refused() {
    let mut agent = agent(&["--once"]);
    assert_eq!(agent.once(&files(&[A, BAD])), Err(Refused));
    assert_eq!(agent.kernel.writes, 0);
    assert_eq!(agent.once(&files(&[A])), Ok(Next::Wait));
    assert_eq!(agent.kernel.exempt(), ["10.0.0.0/8"]);
}

#[test]
fn options_reach_the_rules() {
    let mut agent = agent(&["--source-cidrs=10.244.0.0/16", "--random-fully=false", "--enable-ipv6"]);
    look(&mut agent, Wake::Start, &[A]);
    let rules = agent.kernel.rules.unwrap();
    assert_eq!(rules.sources, ["10.244.0.0/16".parse().unwrap()]);
    assert!(!rules.random_fully && rules.config.ipv6);
}

#[test]
fn a_family_that_is_held_back_is_named() {
    let mut agent = agent(&["--enable-ipv6"]);
    look(&mut agent, Wake::Start, &[A, "nonMasqueradeCIDRs: ['fd00::/8']"]);
    look(&mut agent, Wake::Files, &[A, B]);
    assert_eq!(agent.kernel.exempt(), ["10.0.0.0/8", "192.168.0.0/16", "fd00::/8"]);
    let reasons = agent.status().reasons();
    assert_eq!(reasons.len(), 1, "{reasons:?}");
    assert!(reasons[0].0 == "shrank-to-nothing" && reasons[0].1.contains("IPv6"), "{reasons:?}");
    look(&mut agent, Wake::Files, &[B, "nonMasqueradeCIDRs: ['fd00::/9']"]);
    assert_eq!(agent.kernel.exempt(), ["192.168.0.0/16", "fd00::/9"]);
    assert!(agent.status().reasons().is_empty());
}

#[test]
fn files_that_go_while_running_are_missed() {
    let reasons = |agent: &Agent<Fake>| agent.status().reasons();
    let mut agent = agent(&[]);
    look(&mut agent, Wake::Start, &[]);
    assert_eq!(reasons(&agent), [], "without files from the start the built-in list is what is meant");
    look(&mut agent, Wake::Files, &[A]);
    look(&mut agent, Wake::Files, &[]);
    assert_eq!(agent.kernel.exempt().len(), 3);
    assert_eq!(reasons(&agent)[0].0, "files-gone");
    assert!(agent.status().is_ready());
    look(&mut agent, Wake::Files, &[B]);
    assert_eq!(reasons(&agent), []);
}

#[test]
fn on_request_an_empty_list_is_applied_as_the_original_does() {
    const EMPTY: &str = "nonMasqueradeCIDRs: []";
    for (arguments, held) in [(&["--exit-on-error"] as &[&str], 0), (&[], 1)] {
        let mut agent = agent(arguments);
        look(&mut agent, Wake::Start, &[A]);
        assert_eq!(look(&mut agent, Wake::Files, &[EMPTY]), Next::Wait);
        assert_eq!(agent.kernel.exempt().len(), held, "{arguments:?}");
    }
}
