//! What happens to packets when things go wrong for the agent: it is killed, others flush everything again and again, two of it run,
//! the disk is full, a directory can't be written.

use crate::agent::started::{Agent, Volume, run};
use crate::model::{cidr, ip, settings};
use crate::rules::{Nft, Spelling, add, iptables, original, saved, wanted};
use crate::storm::{Row, Watched, meanwhile};
use causeway_addr::{Cidr, Family};
use causeway_dataplane::iptables::CHAIN;
use causeway_dataplane::masquerade::{Settings, table, tables};
use causeway_dataplane::nftables::{Limits, plan};
use causeway_linux::event::wait;
use causeway_linux::iptables::Variant;
use causeway_linux::nftables::Listener;
use causeway_testkit::Random;
use causeway_testkit::lab::topology::{NODE, POD};
use causeway_testkit::lab::{Lab, Place};
use causeway_testkit::oracle::{Oracle, chains_of};
use causeway_testkit::trial::{CannotProve, Trial};
use nix::mount::{MsFlags, mount, umount};
use std::net::IpAddr;
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::new("robust::killed_between_any_two_batches", between_batches),
        Trial::needing("robust::killed_at_any_moment_of_a_take_over_from_iptables_nft", || any_moment(Variant::Nft)),
        Trial::needing("robust::killed_at_any_moment_of_a_take_over_from_iptables_legacy", || {
            any_moment(Variant::Legacy)
        }),
        Trial::needing("robust::others_flush_everything_again_and_again", || flushes(1)),
        Trial::needing("robust::two_agents_while_others_flush_everything", || flushes(2)),
        Trial::new("robust::a_full_disk_leaves_the_old_file_and_the_rules_right", full_disk),
        Trial::new("robust::a_directory_that_can_not_be_written_stops_nothing", read_only),
    ]
}

/// In each list.
const BOTH: &str = "10.9.9.9";
/// In neither.
const NEITHER: &str = "8.8.8.8";
/// In one of them.
const ONE: &str = "172.16.0.1";

fn rows() -> Vec<Row> {
    let (pod, node) = (POD.of(Family::V4), NODE.of(Family::V4));
    let row = |destination, right| Row { from: Place::Pod, source: pod, destination: ip(destination), right };
    vec![row(BOTH, vec![pod]), row(NEITHER, vec![node]), row(ONE, vec![pod, node])]
}

fn right(watched: &Watched) {
    assert!(watched.first.is_none(), "{watched:?}");
}

/// A long list, so that the way from one to the other takes several batches; the prefixes of a seed.
fn long(seed: u32, and: &[&str]) -> Settings {
    let mut settings = settings(and);
    let own = (0..3000).map(|at: u32| Cidr::new(IpAddr::V4((0x3000_0000 + at * 512 + seed * 256).into()), 24).unwrap());
    settings.config.exempt.extend(own);
    settings.config.exempt.sort();
    settings
}

fn between_batches() {
    let (old, new) = (long(0, &["10.0.0.0/8", "172.16.0.0/12"]), long(1, &["10.0.0.0/8"]));
    let limits = Limits { batch_bytes: 16_000 };
    let mut lab = Lab::new().unwrap();
    let mut nft = Nft::open(&lab);
    let mut after = 0;
    let mut packets = 0;
    loop {
        nft.load(&old);
        let observed = nft.0.read(&tables()).unwrap();
        let batches = plan(&wanted(&new), &observed.tables, &limits).batches;
        assert!(batches.len() > 5, "{} batches", batches.len());
        let ((), watched) = meanwhile(&mut lab, &rows(), || {
            for batch in batches.iter().take(after) {
                nft.0.apply(batch, None).unwrap();
            }
            // Here it dies. Whoever comes next starts from what is there, and knows nothing of what was meant.
            nft.load(&new);
        });
        right(&watched);
        packets += watched.packets;
        let held = nft.0.read(&tables()).unwrap();
        let sets: usize = held.tables.values().map(|table| table.objects.sets.len()).sum();
        let meant: usize = wanted(&new).values().map(|table| table.sets.len()).sum();
        assert_eq!(sets, meant, "nothing half filled is left after {after} batches");
        if after == batches.len() {
            break;
        }
        after += 1;
    }
    println!("     died after each of {after} batches; {packets} packets, all of them right");
}

const LISTED: &str = "nonMasqueradeCIDRs: [10.0.0.0/8]";

fn any_moment(variant: Variant) -> Result<(), CannotProve> {
    const TIMES: usize = 30;
    let seed = Random::seed();
    let mut random = Random::new(seed);
    println!("     CAUSEWAY_SEED={seed}");
    let before = settings(&["10.0.0.0/8", "172.16.0.0/12"]);
    let volume = Volume::new(&[("ip-masq-agent", LISTED)]);
    let directory = format!("--config-dir={}", volume.path().display());
    let arguments = ["masquerade", "--once", "--backend=nft", &directory];
    let program = iptables(Family::V4, variant)?;
    let mut lab = Lab::new().unwrap();
    let began = Instant::now();
    assert_eq!(run(&lab, &arguments).0, Some(0));
    let whole = began.elapsed();
    let (mut packets, mut died) = (0, 0);
    for _ in 0..TIMES {
        assert_eq!(run(&lab, &["masquerade", "--cleanup"]).0, Some(0));
        add(&lab, &program, &original(&before, Family::V4, Spelling::Quoted))?;
        let node = lab.namespace(Place::Node).try_clone().unwrap();
        let moment = Duration::from_micros(random.below(u64::try_from(whole.as_micros() * 4).unwrap()));
        let (killed, watched) = meanwhile(&mut lab, &rows(), || {
            let mut command = Command::new(env!("CARGO_BIN_EXE_causeway-node"));
            command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            let mut child = node.enter(|| command.spawn()).unwrap().unwrap();
            // The moment is what is tested; a timer would be too coarse.
            let until = Instant::now() + moment;
            while Instant::now() < until {
                std::hint::spin_loop();
            }
            child.kill().unwrap();
            !child.wait().unwrap().success()
        });
        right(&watched);
        died += usize::from(killed);
        packets += watched.packets;
        let ((), watched) = meanwhile(&mut lab, &rows(), || {
            let status = node.enter(|| Command::new(env!("CARGO_BIN_EXE_causeway-node")).args(arguments).output());
            assert!(status.unwrap().unwrap().status.success());
        });
        right(&watched);
        assert!(!chains_of(&saved(&lab, &program)).contains(&CHAIN.to_owned()), "the next one ends what was begun");
    }
    println!(
        "     killed {died} of {TIMES} at random moments of about {whole:?}; {packets} packets, all of them right"
    );
    Ok(())
}

/// Flushes everything with the nft program, waiting each time until our table is there again.
fn flushes(agents: usize) -> Result<(), CannotProve> {
    const TIMES: usize = 50;
    /// The repair itself is measured by the benchmarks; here two other processes fight for two processors.
    const LONGEST: Duration = Duration::from_secs(2);
    let oracle = Oracle::find("nft")?;
    let mut lab = Lab::new().unwrap();
    let volume = Volume::new(&[("ip-masq-agent", LISTED)]);
    let mut running = Vec::new();
    for _ in 0..agents {
        let mut agent = Agent::start(&lab, &volume, &["--resync-interval=3600"]);
        agent.until("the rules ");
        running.push(agent);
    }
    let mut nft = Nft::open(&lab);
    let mut listener = lab.on_node(Listener::open).unwrap().unwrap();
    let node = lab.namespace(Place::Node).try_clone().unwrap();
    let ((), watched) = meanwhile(&mut lab, &rows(), || {
        for time in 0..TIMES {
            node.enter(|| oracle.ask(&["flush", "ruleset"])).unwrap();
            // Every third time another flush comes into the repair.
            if time % 3 != 0 {
                there_again(&mut nft, &mut listener);
            }
        }
        there_again(&mut nft, &mut listener);
    });
    let (middle, longest) = watched.middle_and_longest(|spell| spell.at_most);
    assert!(longest < LONGEST, "{watched:?}");
    let (middle_seen, longest_seen) = watched.middle_and_longest(|spell| spell.at_least);
    println!(
        "     {TIMES} flushes, {agents} running: {} of {} packets fell into {} spells of wrong ones, in the middle {middle_seen:?} to {middle:?}, at the longest {longest_seen:?} to {longest:?}",
        watched.wrong,
        watched.packets,
        watched.spells.len()
    );
    let ((), watched) = meanwhile(&mut lab, &rows(), || ());
    right(&watched);
    for agent in running {
        assert_eq!(agent.terminate(), Some(0), "none of them gave up");
    }
    Ok(())
}

fn there_again(nft: &mut Nft, listener: &mut Listener) {
    let until = Instant::now() + Duration::from_secs(10);
    let whole = &wanted(&settings(&["10.0.0.0/8"]))[&table(Family::V4)].chains.len();
    loop {
        let found = nft.0.read(&tables()).unwrap();
        if found.tables.get(&table(Family::V4)).is_some_and(|table| table.objects.chains.len() == *whole) {
            return;
        }
        // Looking all the time would take a processor from the one who repairs.
        wait(&[listener.as_fd()], Some(Duration::from_secs(1))).unwrap();
        listener.drain().unwrap();
        assert!(Instant::now() < until, "nobody repairs it");
    }
}

/// A small file system of its own in a folder, which a test may fill or lock.
struct Disk(PathBuf);

impl Disk {
    fn mount(path: &Path) -> Disk {
        std::fs::create_dir(path).unwrap();
        mount(Some("tmpfs"), path, Some("tmpfs"), MsFlags::empty(), Some("size=16k,mode=0777")).unwrap();
        Disk(path.to_owned())
    }

    /// Nothing more fits.
    fn fill(&self) {
        let error = std::fs::write(self.0.join("filler"), vec![0; 1 << 20]).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
    }

    fn lock(&self) {
        let none: Option<&str> = None;
        mount(none, &self.0, none, MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY, none).unwrap();
    }

    fn unlock(&self) {
        let none: Option<&str> = None;
        mount(none, &self.0, none, MsFlags::MS_REMOUNT, none).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = umount(&self.0);
    }
}

fn full_disk() {
    broken_disk(Disk::fill, |disk| std::fs::remove_file(disk.0.join("filler")).unwrap());
}

fn read_only() {
    broken_disk(Disk::lock, Disk::unlock);
}

/// The merged file can't be written for a while: the rules follow the configuration all the same, the file stays whole and old, and
/// is written when it can be again.
fn broken_disk(spoil: fn(&Disk), mend: fn(&Disk)) {
    let mut lab = Lab::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("disk");
    let disk = Disk::mount(&path);
    let volume = Volume::new(&[("ip-masq-agent", LISTED)]);
    let argument = format!("--merged-config={}", path.display());
    let mut agent = Agent::start(
        &lab,
        &volume,
        &["--metrics-address=127.0.0.1:0", "--resync-interval=1", "--max-cidrs=1000", &argument],
    );
    agent.until("the rules are in place");
    let merged = path.join("ip-masq-agent");
    let old = std::fs::read_to_string(&merged).unwrap();
    assert!(old.contains("10.0.0.0/8"), "{old}");

    spoil(&disk);
    // Longer than what is left of the last page.
    let many = (0..600).map(|at| format!("20.{}.{}.0/24", at / 256, at % 256)).collect::<Vec<_>>().join(", ");
    let text = format!("nonMasqueradeCIDRs: [{many}]");
    volume.swap(&[("ip-masq-agent", "nonMasqueradeCIDRs: [8.8.8.0/24]"), ("ip-masq-many", &text)]);
    agent.until("the merged configuration can't be written");
    assert_eq!(std::fs::read_to_string(&merged).unwrap(), old, "whole and old");
    volume.swap(&[("ip-masq-agent", "nonMasqueradeCIDRs: [8.8.8.0/24]")]);
    let pod = POD.of(Family::V4);
    let exempt = Row { from: Place::Pod, source: pod, destination: ip(NEITHER), right: vec![pod] };
    let until = Instant::now() + Duration::from_secs(10);
    while meanwhile(&mut lab, std::slice::from_ref(&exempt), || ()).1.first.is_some() {
        assert!(Instant::now() < until, "the rules follow the configuration");
    }
    assert!(cidr("8.8.8.0/24").contains(ip(NEITHER)));
    assert!(agent.get(&lab, "/healthz").starts_with("HTTP/1.1 200 "));

    mend(&disk);
    agent.until("wrote the merged configuration");
    let new = std::fs::read_to_string(&merged).unwrap();
    assert!(new.contains("8.8.8.0/24") && !new.contains("10.0.0.0/8"), "{new}");
    let names: Vec<_> = std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["ip-masq-agent"], "nothing half written is left");
    assert_eq!(agent.terminate(), Some(0));
}
