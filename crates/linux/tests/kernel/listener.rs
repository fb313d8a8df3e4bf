//! Hearing of changes.

use crate::Test;
use crate::fixture::{keys4, table};
use causeway_dataplane::nftables::objects::{KeyType, Op};
use causeway_dataplane::ruleset::{TableFamily, TableId};
use causeway_linux::nftables::{Connection, Listener, Notice};
use causeway_testkit::oracle::Oracle;
use causeway_testkit::trial::CannotProve;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::os::fd::AsFd;

pub(crate) const TESTS: &[Test] = &[
    ("listener::ones_own_change_is_told_by_its_port", own_change),
    ("listener::a_change_of_others_names_them_and_their_tables", foreign_change),
    ("listener::more_than_fits_is_told_as_lost_and_then_it_goes_on", lost),
    ("listener::a_paused_listener_hears_nothing", paused),
    ("listener::the_descriptor_becomes_readable", readable),
];

fn changes(listener: &mut Listener) -> Vec<causeway_linux::nftables::Change> {
    let notices = listener.drain().expect("drain");
    notices
        .into_iter()
        .map(|notice| match notice {
            Notice::Change(change) => change,
            Notice::Lost => panic!("lost"),
        })
        .collect()
}

fn own_change() -> Result<(), CannotProve> {
    let mut connection = Connection::open().expect("open");
    let mut listener = Listener::open().expect("listen");
    assert_eq!(listener.drain().expect("drain"), []);
    connection.apply(&[Op::AddTable(table())], None).expect("apply");
    let other = TableId { family: TableFamily::Ip6, ..table() };
    connection.apply(&[Op::AddTable(other.clone()), Op::DeleteTable(table())], None).expect("apply");
    let heard = changes(&mut listener);
    assert_eq!(heard.len(), 2);
    assert!(heard.iter().all(|change| change.port == connection.port()));
    assert_eq!(heard[0].tables.iter().collect::<Vec<_>>(), [&table()]);
    assert_eq!(heard[1].tables.iter().collect::<Vec<_>>(), [&table(), &other]);
    assert_eq!(heard[1].generation, Some(connection.generation().expect("generation")));
    assert_eq!(heard[0].process, Some(std::process::id()));
    Ok(())
}

fn foreign_change() -> Result<(), CannotProve> {
    let connection = Connection::open().expect("open");
    let mut listener = Listener::open().expect("listen");
    Oracle::find("nft")?.ask(&["add table ip a; add chain ip a c; add rule ip a c drop; add table bridge b"]);
    Oracle::find("nft")?.ask(&["flush ruleset"]);
    let heard = changes(&mut listener);
    assert_eq!(heard.len(), 2);
    let a = TableId { family: TableFamily::Ip, name: "a".into() };
    for change in &heard {
        assert_eq!(change.process_name, "nft");
        assert!(change.process.is_some_and(|process| process != std::process::id()));
        assert_ne!(change.port, connection.port());
        assert_eq!(change.tables.iter().collect::<Vec<_>>(), [&a]);
    }
    assert!(heard[0].generation < heard[1].generation);
    Ok(())
}

fn fill(connection: &mut Connection, count: u32) {
    let mut ops =
        vec![Op::AddTable(table()), Op::AddSet { table: table(), name: "s".into(), key: KeyType::IPV4, size: None }];
    connection.apply(&ops, None).expect("apply");
    for part in 0..count.div_ceil(8_000) {
        ops = vec![Op::AddElements {
            table: table(),
            set: "s".into(),
            keys: keys4(part * 8_000..count.min((part + 1) * 8_000)),
        }];
        connection.apply(&ops, None).expect("apply");
    }
}

fn lost() -> Result<(), CannotProve> {
    let mut connection = Connection::open().expect("open");
    let mut listener = Listener::open().expect("listen");
    // More notifications than the largest receive buffer an ordinary user may have.
    fill(&mut connection, 400_000);
    let notices = listener.drain().expect("drain");
    assert!(notices.contains(&Notice::Lost), "{} notices", notices.len());
    connection.apply(&[Op::DeleteTable(table())], None).expect("apply");
    let heard = changes(&mut listener);
    assert_eq!(heard.len(), 1);
    assert_eq!(heard[0].tables.iter().collect::<Vec<_>>(), [&table()]);
    Ok(())
}

fn paused() -> Result<(), CannotProve> {
    let mut connection = Connection::open().expect("open");
    let mut listener = Listener::open().expect("listen");
    listener.pause().expect("pause");
    listener.pause().expect("twice is once");
    fill(&mut connection, 20_000);
    listener.resume().expect("resume");
    assert_eq!(listener.drain().expect("drain"), []);
    connection.apply(&[Op::DeleteTable(table())], None).expect("apply");
    assert_eq!(changes(&mut listener).len(), 1);
    Ok(())
}

fn readable() -> Result<(), CannotProve> {
    let mut connection = Connection::open().expect("open");
    let mut listener = Listener::open().expect("listen");
    let ready = |listener: &Listener, wait: u16| {
        let mut descriptors = [PollFd::new(listener.as_fd(), PollFlags::POLLIN)];
        poll(&mut descriptors, PollTimeout::from(wait)).expect("poll")
    };
    assert_eq!(ready(&listener, 0), 0);
    connection.apply(&[Op::AddTable(table())], None).expect("apply");
    assert_eq!(ready(&listener, 1_000), 1);
    assert_eq!(changes(&mut listener).len(), 1);
    assert_eq!(ready(&listener, 0), 0);
    Ok(())
}
