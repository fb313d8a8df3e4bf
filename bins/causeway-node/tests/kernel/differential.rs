//! Random configurations and packets: the model, our rules in nf_tables and our chain in iptables must agree on every one.

use crate::model::{agrees, expected};
use crate::rules::{Nft, load_chain};
use causeway_addr::{Cidr, Family};
use causeway_dataplane::evaluate::evaluate;
use causeway_dataplane::masquerade::{Settings, compile, table};
use causeway_dataplane::packet::{Packet, Protocol};
use causeway_dataplane::ruleset::Hook;
use causeway_linux::iptables::Variant;
use causeway_model::masquerade::MasqueradeConfig;
use causeway_testkit::Random;
use causeway_testkit::lab::topology::{NODE, NODE_OTHER, NODE_SECOND, POD, PODS, SECOND};
use causeway_testkit::lab::{Fate, Lab, Place, Probe};
use causeway_testkit::trial::{CannotProve, Trial};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Instant;

const CONFIGURATIONS: usize = 220;
const PACKETS: usize = 100;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::new("differential::model_and_nf_tables_agree", || run(&mut OurRules::default()).unwrap()),
        Trial::new("differential::a_kernel_that_forgets_a_prefix_is_found_out", forgetful),
        Trial::needing("differential::model_and_iptables_nft_agree", || run(&mut OurChain(Variant::Nft))),
        Trial::needing("differential::model_and_iptables_legacy_agree", || run(&mut OurChain(Variant::Legacy))),
    ]
}

/// Rules in a kernel.
trait Holder {
    fn name(&self) -> String;
    fn load(&mut self, lab: &Lab, settings: &Settings) -> Result<(), CannotProve>;
    /// Holds what it counted against what the model says of these packets, all of which were sent since it was loaded.
    fn check_counters(&mut self, settings: &Settings, packets: &[Packet]);
}

#[derive(Default)]
struct OurRules {
    nft: Option<Nft>,
    before: BTreeMap<(Family, String), u64>,
}

impl OurRules {
    fn counts(&mut self, settings: &Settings) -> BTreeMap<(Family, String), u64> {
        let nft = self.nft.as_mut().unwrap();
        let of_family = settings.families().flat_map(|family| {
            let counts = nft.0.counts(&table(family)).unwrap();
            counts.into_iter().map(move |(name, count)| ((family, name), count.packets)).collect::<Vec<_>>()
        });
        of_family.collect()
    }
}

impl Holder for OurRules {
    fn name(&self) -> String {
        "nf_tables".to_owned()
    }

    fn load(&mut self, lab: &Lab, settings: &Settings) -> Result<(), CannotProve> {
        self.nft.get_or_insert_with(|| Nft::open(lab)).load(settings);
        self.before = self.counts(settings);
        Ok(())
    }

    fn check_counters(&mut self, settings: &Settings, packets: &[Packet]) {
        let ruleset = compile(settings);
        let mut model = self.before.clone();
        for packet in packets {
            let node = crate::model::node(packet.destination);
            for counter in evaluate(&ruleset, Hook::Postrouting, packet, &node).counters {
                *model.entry((packet.family(), counter.name.to_owned())).or_default() += 1;
            }
        }
        let kernel = self.counts(settings);
        for (counter, model) in &model {
            // Whether a packet counts as translated that only may have got another port is not known; and the world's answers
            // and refusals belong to the same connections.
            if counter.1 != causeway_dataplane::masquerade::PACKETS_COUNTER {
                assert_eq!(kernel.get(counter), Some(model), "counter {counter:?} after {settings:#?}");
            }
        }
    }
}

/// The chain of our iptables back end, brought from one configuration to the next by plan.
struct OurChain(Variant);

impl Holder for OurChain {
    fn name(&self) -> String {
        format!("iptables-{}", self.0)
    }

    fn load(&mut self, lab: &Lab, settings: &Settings) -> Result<(), CannotProve> {
        load_chain(lab, self.0, settings)
    }

    fn check_counters(&mut self, _: &Settings, _: &[Packet]) {}
}

fn run(holder: &mut dyn Holder) -> Result<(), CannotProve> {
    let seed = Random::seed();
    println!("     CAUSEWAY_SEED={seed}");
    let begun = Instant::now();
    match search(holder, seed, CONFIGURATIONS)? {
        Ok(pairs) => println!("     {pairs} pairs in {:.1} s", begun.elapsed().as_secs_f64()),
        Err(found) => panic!("seed {seed}: {found:#?}"),
    }
    Ok(())
}

/// Where the model and a kernel differ.
#[derive(Debug)]
#[expect(dead_code, reason = "printed when a test fails")]
struct Difference {
    holder: String,
    model: Option<IpAddr>,
    kernel: Fate,
    probe: Probe,
    /// The fewest settings that show it.
    settings: Settings,
}

/// Tries so many configurations; how many packets agreed, or the first that did not.
fn search(
    holder: &mut dyn Holder,
    seed: u64,
    configurations: usize,
) -> Result<Result<usize, Box<Difference>>, CannotProve> {
    let mut random = Random::new(seed);
    let mut lab = Lab::new().unwrap();
    let (mut pairs, mut without_ports) = (0, BTreeSet::new());
    for _ in 0..configurations {
        let settings = configuration(&mut random);
        holder.load(&lab, &settings)?;
        let probes = probes(&mut random, &mut lab, &settings, &mut without_ports);
        let ruleset = compile(&settings);
        let fates = lab.probe(&probes).unwrap();
        for (probe, kernel) in probes.iter().zip(fates) {
            let model = expected(&ruleset, &probe.packet);
            if !agrees(model, &probe.packet, &kernel) {
                let settings = shrink(&mut lab, holder, &settings, probe);
                let holder = holder.name();
                return Ok(Err(Box::new(Difference { holder, model, kernel, probe: *probe, settings })));
            }
        }
        holder.check_counters(&settings, &probes.iter().map(|probe| probe.packet).collect::<Vec<_>>());
        pairs += probes.len();
    }
    Ok(Ok(pairs))
}

/// Holds all but the last exempt prefix.
struct Forgetful(Option<Nft>);

impl Holder for Forgetful {
    fn name(&self) -> String {
        "a forgetful kernel".to_owned()
    }

    fn load(&mut self, lab: &Lab, settings: &Settings) -> Result<(), CannotProve> {
        let mut fewer = settings.clone();
        fewer.config.exempt.pop();
        self.0.get_or_insert_with(|| Nft::open(lab)).load(&fewer);
        Ok(())
    }

    fn check_counters(&mut self, _: &Settings, _: &[Packet]) {}
}

/// The twin of agreement: a difference is seen, and brought down to the one prefix that makes it.
fn forgetful() {
    let found = search(&mut Forgetful(None), 1, CONFIGURATIONS).unwrap().unwrap_err();
    assert_eq!(found.settings.config.exempt.len(), 1, "{found:#?}");
    assert!(found.settings.config.exempt[0].contains(found.probe.packet.destination), "{found:#?}");
}

/// Takes away what is not needed for the model and the kernel to differ about a packet.
fn shrink(lab: &mut Lab, holder: &mut dyn Holder, settings: &Settings, probe: &Probe) -> Settings {
    let mut differ = |settings: &Settings| {
        let model = expected(&compile(settings), &probe.packet);
        let again = Probe { packet: renewed(lab, &probe.packet), ..*probe };
        holder.load(lab, settings).is_ok() && !agrees(model, &again.packet, &lab.probe(&[again]).unwrap()[0])
    };
    let mut least = settings.clone();
    let mut at = 0;
    while at < least.config.exempt.len() {
        let mut fewer = least.clone();
        fewer.config.exempt.remove(at);
        if differ(&fewer) { least = fewer } else { at += 1 }
    }
    let mut at = 0;
    while at < least.sources.len() {
        let mut fewer = least.clone();
        fewer.sources.remove(at);
        if differ(&fewer) { least = fewer } else { at += 1 }
    }
    least
}

/// The same packet as the first of another connection.
fn renewed(lab: &mut Lab, packet: &Packet) -> Packet {
    lab.packet(packet.source, packet.destination, packet.protocol)
}

fn configuration(random: &mut Random) -> Settings {
    let mut exempt = BTreeSet::new();
    let many = [0, 1, 2, 5, 12, 40][usize::try_from(random.below(6)).unwrap()];
    for _ in 0..many {
        let family = a_family(random, 2);
        let prefix = match exempt.iter().nth(usize::try_from(random.below(many)).unwrap()) {
            // Inside, around or beside one that is there.
            Some(near) if random.once_in(2) => near_to(random, near),
            _ => prefix(random, family),
        };
        exempt.insert(prefix);
    }
    let sources = match random.below(4) {
        0 => PODS.to_vec(),
        1 => (0..=random.below(3))
            .map(|_| {
                let family = a_family(random, 3);
                prefix(random, family)
            })
            .collect(),
        _ => Vec::new(),
    };
    let config = MasqueradeConfig {
        exempt: exempt.into_iter().collect(),
        link_local: random.once_in(2),
        link_local_v6: random.once_in(2),
        ipv6: !random.once_in(5),
    };
    Settings { config, sources, random_fully: random.once_in(2) }
}

/// IPv6 once in so many times.
fn a_family(random: &mut Random, every: u64) -> Family {
    if random.once_in(every) { Family::V6 } else { Family::V4 }
}

fn bits(family: Family) -> u8 {
    if family == Family::V4 { 32 } else { 128 }
}

fn prefix(random: &mut Random, family: Family) -> Cidr {
    let longest = u64::from(bits(family));
    let length = match random.below(8) {
        0 => random.below(8),
        1 => longest,
        2 => random.below(longest + 1),
        _ if family == Family::V4 => 8 + random.below(25),
        _ => 16 + random.below(113),
    };
    Cidr::new(address(random, family), u8::try_from(length).unwrap()).unwrap()
}

fn near_to(random: &mut Random, near: &Cidr) -> Cidr {
    let length = match random.below(3) {
        0 => near.prefix_len().saturating_sub(1),
        1 => (near.prefix_len() + 1).min(bits(near.family())),
        _ => near.prefix_len(),
    };
    Cidr::new(beside(random, near), length).unwrap()
}

/// An address at an edge of a prefix, just outside it, or within.
fn beside(random: &mut Random, prefix: &Cidr) -> IpAddr {
    let (first, last) = (number(prefix.first()), number(prefix.last()));
    let family = prefix.family();
    let chosen = match random.below(5) {
        0 => first,
        1 => last,
        2 => first.wrapping_sub(1),
        3 => last.wrapping_add(1),
        _ => first.wrapping_add(random.wide() & (last - first)),
    };
    from_number(family, chosen)
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u32::from(address).into(),
        IpAddr::V6(address) => address.into(),
    }
}

fn from_number(family: Family, number: u128) -> IpAddr {
    match family {
        Family::V4 => IpAddr::V4(u32::try_from(number & u128::from(u32::MAX)).unwrap().into()),
        Family::V6 => IpAddr::V6(number.into()),
    }
}

/// Addresses that are likely to meet each other.
fn address(random: &mut Random, family: Family) -> IpAddr {
    match family {
        Family::V4 => {
            let base = *random
                .one_of(&[0x0a00_0000_u32, 0xac10_0000, 0xc0a8_0000, 0xa9fe_0000, 0xc612_0000, 0x0af4_0000])
                .unwrap();
            let low = u32::try_from(random.next() >> 32).unwrap();
            IpAddr::V4(if random.once_in(3) { low } else { base | (low & 0x000f_ffff) }.into())
        }
        Family::V6 => {
            let base = *random
                .one_of(&[0x2001_0db8_u128, 0xfd00_0198, 0xfd00_0244, 0x2600_1f00, 0xfd12_3456, 0xfe80_0000])
                .unwrap()
                << 96;
            let low = random.wide() >> (32 + random.below(60));
            IpAddr::V6((base | low).into())
        }
    }
}

/// Whether a packet to it leaves a pod at all and crosses the node: the rest is decided long before rules are asked.
fn travels(address: IpAddr, from: Place) -> bool {
    let own = [NODE, NODE_SECOND, NODE_OTHER].iter().any(|own| own.of(Family::of(address)) == address);
    let pods = PODS.iter().any(|pods| pods.contains(address));
    let ordinary = match address {
        IpAddr::V4(address) => {
            let [first, ..] = address.octets();
            !matches!(first, 0 | 127 | 224..=239) && !address.is_broadcast()
        }
        IpAddr::V6(address) => {
            let first = address.segments()[0];
            let link_local = from == Place::Node && (0xfe80..0xfec0).contains(&first);
            (0x2000..0x4000).contains(&first) || (0xfc00..0xfe00).contains(&first) || link_local
        }
    };
    ordinary && !pods && (!own || from == Place::Node)
}

fn probes(random: &mut Random, lab: &mut Lab, settings: &Settings, without_ports: &mut BTreeSet<IpAddr>) -> Vec<Probe> {
    let mut probes = Vec::with_capacity(PACKETS);
    while probes.len() < PACKETS {
        let from = if random.once_in(4) { Place::Node } else { Place::Pod };
        let destination = match random.one_of(&settings.config.exempt) {
            Some(near) if !random.once_in(4) => beside(random, &near.clone()),
            _ => {
                let family = a_family(random, 2);
                address(random, family)
            }
        };
        let destination = match random.below(20) {
            0 => NODE_OTHER.of(Family::of(destination)),
            1 => beside(random, &SECOND[usize::from(destination.is_ipv6())]),
            _ => destination,
        };
        let family = Family::of(destination);
        let source = match (from, random.below(4)) {
            (Place::Node, 0) => NODE_OTHER.of(family),
            (Place::Node, 1) => NODE_SECOND.of(family),
            (Place::Node, _) => NODE.of(family),
            (_, 0) => random.one_of(&settings.sources).map_or(POD.of(family), |near| beside(random, &near.clone())),
            (_, 1) => beside(random, &PODS[usize::from(family == Family::V6)]),
            _ => POD.of(family),
        };
        let own = |address| !travels(address, Place::Pod) && !PODS.iter().any(|pods| pods.contains(address));
        if Family::of(source) != family || !travels(destination, from) || (from == Place::Pod && own(source)) {
            continue;
        }
        let mut protocol = *random
            .one_of(&[Protocol::Udp, Protocol::Tcp, Protocol::Sctp, Protocol::Icmp, Protocol::Other(47)])
            .unwrap();
        // Without ports there can be one translated connection to a destination: the kernel drops what would be a second one.
        if protocol == Protocol::Other(47) && !without_ports.insert(destination) {
            protocol = Protocol::Udp;
        }
        probes.push(Probe { from, packet: lab.packet(source, destination, protocol) });
    }
    probes
}
