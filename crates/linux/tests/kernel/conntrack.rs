//! What connection tracking counts.

use crate::Test;
use causeway_linux::conntrack::Connection;
use causeway_testkit::oracle::Oracle;
use causeway_testkit::trial::CannotProve;
use std::net::UdpSocket;

pub(crate) const TESTS: &[Test] = &[("conntrack::entries_are_counted_as_the_conntrack_program_counts_them", entries)];

fn entries() -> Result<(), CannotProve> {
    let mut connection = Connection::open().expect("open");
    let before = connection.statistics().expect("statistics");
    assert_eq!((before.entries, before.insert_failed, before.dropped), (0, 0, 0));
    assert!(before.maximum.is_some_and(|maximum| maximum > 0));
    Oracle::find("ip")?.ask(&["link", "set", "lo", "up"]);
    // Connections are tracked from the first rule on that asks for them.
    Oracle::find("nft")?.ask(&[
            "add table ip t; add chain ip t c { type filter hook output priority 0; }; add rule ip t c ct state new counter",
        ],
    );
    let sockets: Vec<UdpSocket> = (0..5).map(|_| UdpSocket::bind("127.0.0.1:0").expect("bind")).collect();
    for socket in &sockets[1..] {
        socket.send_to(b"hello", sockets[0].local_addr().expect("address")).expect("send");
    }
    let after = connection.statistics().expect("statistics");
    assert_eq!(after.entries, 4);
    assert_eq!(Oracle::find("conntrack")?.ask(&["-C"]).trim(), "4");
    Ok(())
}
