//! Other programs look at the same kernel: nft at our sets, conntrack at what became of connections.

use crate::model::{expected, ip, settings};
use crate::rules::Nft;
use causeway_addr::{Cidr, Family};
use causeway_dataplane::masquerade::{TABLE, compile};
use causeway_dataplane::packet::Protocol;
use causeway_testkit::lab::topology::POD;
use causeway_testkit::lab::{Lab, Place, Probe};
use causeway_testkit::oracle::{Oracle, connections_of, sets_of};
use causeway_testkit::trial::{CannotProve, Trial};
use std::collections::BTreeSet;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::needing("witnesses::nft_lists_the_prefixes_that_were_asked_for", listed),
        Trial::needing("witnesses::conntrack_knows_the_sources_the_model_says", tracked),
    ]
}

const EXEMPT: [&str; 5] = ["10.0.0.0/8", "10.1.0.0/16", "30.0.0.1/32", "2001:db8::/32", "fd00::1/128"];

fn listed() -> Result<(), CannotProve> {
    let nft = Oracle::find("nft")?;
    let lab = Lab::new().unwrap();
    let settings = settings(&EXEMPT);
    Nft::open(&lab).load(&settings);
    let shown = lab.on_node(|| nft.ask(&["-j", "list", "ruleset"])).unwrap();
    let mut found = BTreeSet::new();
    for set in sets_of(&shown).unwrap() {
        assert_eq!(set.table, TABLE);
        // A hash set per prefix length: the name ends with the length.
        let length = set.name.rsplit('-').next().unwrap().split('.').next().unwrap().parse().unwrap();
        found.extend(set.elements.iter().map(|element| Cidr::new(ip(element), length).unwrap()));
    }
    let asked: BTreeSet<Cidr> =
        Family::ALL.iter().flat_map(|family| settings.exempt(*family).iter().collect::<Vec<_>>()).collect();
    assert_eq!(found, asked);
    Ok(())
}

fn tracked() -> Result<(), CannotProve> {
    let conntrack = Oracle::find("conntrack")?;
    let mut lab = Lab::new().unwrap();
    let settings = settings(&EXEMPT);
    Nft::open(&lab).load(&settings);
    let ruleset = compile(&settings);
    for (family, name) in [(Family::V4, "ipv4"), (Family::V6, "ipv6")] {
        for destination in
            ["10.1.1.1", "30.0.0.1", "30.0.0.2", "198.18.0.1", "2001:db8::1", "2001:db9::1", "fd00::1", "fd00::2"]
        {
            let destination = ip(destination);
            if Family::of(destination) != family {
                continue;
            }
            let packet = lab.packet(POD.of(family), destination, Protocol::Udp);
            lab.probe(&[Probe { from: Place::Pod, packet }]).unwrap();
            let listing = lab.on_node(|| conntrack.ask(&["-L", "-f", name, "-p", "udp"])).unwrap();
            let original = [
                packet.source.to_string(),
                destination.to_string(),
                packet.source_port.to_string(),
                packet.destination_port.to_string(),
            ];
            let found = connections_of(&listing).into_iter().find(|one| one.original == original);
            let seen = found.unwrap_or_else(|| panic!("{original:?} is not in\n{listing}")).reply[1].clone();
            assert_eq!(Some(ip(&seen)), expected(&ruleset, &packet), "{listing}");
        }
    }
    Ok(())
}
