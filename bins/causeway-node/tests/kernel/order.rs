//! Other programs translate too. Which rule wins, whoever came first: what docs/guide says about it is held here.

use crate::model::{ip, settings};
use crate::rules::{Nft, Spelling, add, iptables, original};
use causeway_addr::Family;
use causeway_dataplane::masquerade::{EXEMPT_COUNTER, TRANSLATED_COUNTER, table};
use causeway_dataplane::packet::Protocol;
use causeway_linux::iptables::Variant;
use causeway_testkit::lab::topology::{NODE, POD};
use causeway_testkit::lab::{Lab, Place, Probe};
use causeway_testkit::oracle::Oracle;
use causeway_testkit::trial::{CannotProve, Trial};
use std::net::IpAddr;

/// An address that only the rules of others translate to, so that it tells who it was.
const THEIRS: &str = "10.224.0.99";
/// Exempt for us, and beside it not.
const EXEMPT: &str = "10.50.0.1";
const OTHER: &str = "10.51.0.1";
/// The platform's DNS, port 53.
const DNS: &str = "168.63.129.16";

/// kube-proxy in iptables mode: translates what was marked, and portmap the same with a mark of its own. The address stands for the
/// node's, to tell them from us.
const KUBE_PROXY: &str = "*mangle
-A PREROUTING -d 10.50.0.1 -j MARK --set-xmark 0x4000/0x4000
-A PREROUTING -d 10.51.0.1 -j MARK --set-xmark 0x4000/0x4000
COMMIT
*nat
:KUBE-POSTROUTING - [0:0]
-A POSTROUTING -m comment --comment \"kubernetes postrouting rules\" -j KUBE-POSTROUTING
-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN
-A KUBE-POSTROUTING -j MARK --xor-mark 0x4000
-A KUBE-POSTROUTING -m comment --comment \"kubernetes service traffic requiring SNAT\" -j SNAT --to-source 10.224.0.99
COMMIT
";
const PORTMAP: &str = "*mangle
-A PREROUTING -d 10.50.0.1 -j MARK --set-xmark 0x2000/0x2000
-A PREROUTING -d 10.51.0.1 -j MARK --set-xmark 0x2000/0x2000
COMMIT
*nat
:CNI-HOSTPORT-MASQ - [0:0]
-A POSTROUTING -m comment --comment \"CNI portfwd requiring masquerade\" -j CNI-HOSTPORT-MASQ
-A CNI-HOSTPORT-MASQ -m mark --mark 0x2000/0x2000 -j SNAT --to-source 10.224.0.99
COMMIT
";
/// kube-proxy in nftables mode.
const KUBE_PROXY_NFT: &str = "table ip kube-proxy {
  chain marks { type filter hook prerouting priority mangle; ip daddr { 10.50.0.1, 10.51.0.1 } meta mark set meta mark or 0x4000; }
  chain masquerading { meta mark and 0x4000 == 0 return; meta mark set meta mark xor 0x4000; snat to 10.224.0.99; }
  chain nat-postrouting { type nat hook postrouting priority srcnat; jump masquerading; }
}";
/// The platform's chain for its own services, as CNS writes it.
const SWIFT: &str = "*nat
:SWIFT-POSTROUTING - [0:0]
-A POSTROUTING -j SWIFT-POSTROUTING
-A SWIFT-POSTROUTING -m addrtype ! --dst-type LOCAL -s 10.244.1.0/24 -d 168.63.129.16 -p udp --dport 53 -j SNAT --to-source 10.224.0.99
-A SWIFT-POSTROUTING -m addrtype ! --dst-type LOCAL -s 10.244.1.0/24 -d 168.63.129.16 -p tcp --dport 53 -j SNAT --to-source 10.224.0.99
COMMIT
";

/// A text or an address of IPv4 in IPv6.
fn of(family: Family, text: &str) -> String {
    const WORDS: [(&str, &str); 8] = [
        ("table ip ", "table ip6 "),
        ("ip daddr", "ip6 daddr"),
        ("10.50.0.0/16", "fd00:50::/32"),
        ("10.51.0.0/16", "fd00:51::/32"),
        ("10.50.0.", "fd00:50::"),
        ("10.51.0.", "fd00:51::"),
        (THEIRS, "fd00:224::99"),
        ("169.254.0.0/16", "fe80::/10"),
    ];
    match family {
        Family::V4 => text.to_owned(),
        Family::V6 => WORDS.iter().fold(text.to_owned(), |text, (four, six)| text.replace(four, six)),
    }
}

/// Who comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum First {
    Ours,
    Theirs,
}

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for (first, when) in [(First::Ours, "after_us"), (First::Theirs, "before_us")] {
        for variant in [Variant::Nft, Variant::Legacy] {
            for (name, text) in [("kube_proxy", KUBE_PROXY), ("portmap", PORTMAP)] {
                let title = format!("order::{name}_in_iptables_{variant}_that_came_{when}_wins");
                trials.push(each_family(&title, move |family| {
                    marked(family, first, &|lab| theirs(lab, family, variant, text))
                }));
            }
            let title = format!("order::the_platforms_chain_in_iptables_{variant}_that_came_{when}_wins");
            trials.push(Trial::needing(&title, move || platform(first, variant)));
            let title = format!("order::a_left_over_original_in_iptables_{variant}_that_came_{when}_wins");
            trials.push(each_family(&title, move |family| left_over(family, first, variant)));
        }
        let title = format!("order::kube_proxy_in_nftables_that_came_{when}_wins");
        trials.push(each_family(&title, move |family| {
            marked(family, first, &|lab| feed(lab, &of(family, KUBE_PROXY_NFT)))
        }));
    }
    trials.push(each_family("order::a_later_chain_takes_what_ours_lets_go", later_chain));
    trials.push(each_family("order::an_earlier_chain_that_accepts_stops_nothing", earlier_accept));
    trials.push(each_family("order::at_equal_priority_the_one_that_came_last_wins", equal));
    trials
}

fn each_family(name: &str, prove: impl Fn(Family) -> Result<(), CannotProve> + 'static) -> Trial {
    Trial::needing(name, move || Family::ALL.into_iter().try_for_each(&prove))
}

fn theirs(lab: &Lab, family: Family, variant: Variant, text: &str) -> Result<(), CannotProve> {
    add(lab, &iptables(family, variant)?, &of(family, text))
}

fn feed(lab: &Lab, text: &str) -> Result<(), CannotProve> {
    let nft = Oracle::find("nft")?;
    lab.on_node(|| nft.feed(&["-f", "-"], text)).unwrap().unwrap();
    Ok(())
}

type Load<'a> = &'a dyn Fn(&Lab) -> Result<(), CannotProve>;

/// A lab with our rules, which exempt what [`EXEMPT`] says, and with those of others.
fn lab(family: Family, first: First, load: Load<'_>) -> Result<(Lab, Nft), CannotProve> {
    let lab = Lab::new().unwrap();
    let mut nft = Nft::open(&lab);
    let ours = settings(&[&of(family, "10.50.0.0/16")]);
    if first == First::Ours {
        nft.load(&ours);
    }
    load(&lab)?;
    nft.load(&ours);
    Ok((lab, nft))
}

fn source(lab: &mut Lab, family: Family, destination: &str, protocol: Protocol, port: u16) -> IpAddr {
    let mut packet = lab.packet(POD.of(family), ip(&of(family, destination)), protocol);
    packet.destination_port = port;
    lab.probe(&[Probe { from: Place::Pod, packet }]).unwrap()[0].source().unwrap()
}

/// What we counted: exempt and translated connections.
fn counted(nft: &mut Nft, family: Family) -> (u64, u64) {
    let counts = nft.0.counts(&table(family)).unwrap();
    (counts[EXEMPT_COUNTER].packets, counts[TRANSLATED_COUNTER].packets)
}

/// Their chain at 100 translates marked packets, whether we exempt the destination or not, and ours is not even asked.
fn marked(family: Family, first: First, load: Load<'_>) -> Result<(), CannotProve> {
    let (mut lab, mut nft) = lab(family, first, load)?;
    for destination in [EXEMPT, OTHER] {
        assert_eq!(source(&mut lab, family, destination, Protocol::Tcp, 443), ip(&of(family, THEIRS)), "{destination}");
    }
    assert_eq!(counted(&mut nft, family), (0, 0));
    // What they don't mark is ours.
    assert_eq!(source(&mut lab, family, "10.50.0.2", Protocol::Tcp, 443), POD.of(family));
    assert_eq!(source(&mut lab, family, "10.51.0.2", Protocol::Tcp, 443), NODE.of(family));
    assert_eq!(counted(&mut nft, family), (1, 1));
    Ok(())
}

fn platform(first: First, variant: Variant) -> Result<(), CannotProve> {
    let family = Family::V4;
    let (mut lab, mut nft) = lab(family, first, &|lab| theirs(lab, family, variant, SWIFT))?;
    assert_eq!(source(&mut lab, family, DNS, Protocol::Udp, 53), ip(&of(family, THEIRS)));
    assert_eq!(source(&mut lab, family, DNS, Protocol::Tcp, 53), ip(&of(family, THEIRS)));
    assert_eq!(source(&mut lab, family, DNS, Protocol::Udp, 54), NODE.of(family));
    assert_eq!(counted(&mut nft, family), (0, 1));
    // Exempting the platform's address does not take its services away; it only uncovers the other ports.
    nft.load(&settings(&["168.63.129.16/32"]));
    assert_eq!(source(&mut lab, family, DNS, Protocol::Udp, 53), ip(&of(family, THEIRS)));
    assert_eq!(source(&mut lab, family, DNS, Protocol::Udp, 54), POD.of(family));
    Ok(())
}

/// That is why taking over removes it: what it translates is translated, whatever we exempt.
fn left_over(family: Family, first: First, variant: Variant) -> Result<(), CannotProve> {
    let old = original(&settings(&[&of(family, "10.51.0.0/16")]), family, Spelling::Plain);
    let (mut lab, mut nft) = lab(family, first, &|lab| theirs(lab, family, variant, &old))?;
    assert_eq!(source(&mut lab, family, EXEMPT, Protocol::Udp, 9), NODE.of(family), "exempt for us only");
    assert_eq!(counted(&mut nft, family), (0, 0));
    assert_eq!(source(&mut lab, family, OTHER, Protocol::Udp, 9), NODE.of(family), "exempt for them only");
    assert_eq!(counted(&mut nft, family), (0, 1));
    Ok(())
}

fn later_chain(family: Family) -> Result<(), CannotProve> {
    let later = "table ip later { chain c { type nat hook postrouting priority 102; snat to 10.224.0.99; }; }";
    for first in [First::Ours, First::Theirs] {
        let (mut lab, mut nft) = lab(family, first, &|lab| feed(lab, &of(family, later)))?;
        assert_eq!(source(&mut lab, family, EXEMPT, Protocol::Udp, 9), ip(&of(family, THEIRS)));
        assert_eq!(source(&mut lab, family, OTHER, Protocol::Udp, 9), NODE.of(family));
        assert_eq!(counted(&mut nft, family), (1, 1));
    }
    Ok(())
}

fn earlier_accept(family: Family) -> Result<(), CannotProve> {
    let earlier = "table ip earlier { chain c { type nat hook postrouting priority 99; accept; }; }";
    for first in [First::Ours, First::Theirs] {
        let (mut lab, _) = lab(family, first, &|lab| feed(lab, &of(family, earlier)))?;
        assert_eq!(source(&mut lab, family, EXEMPT, Protocol::Udp, 9), POD.of(family));
        assert_eq!(source(&mut lab, family, OTHER, Protocol::Udp, 9), NODE.of(family));
    }
    Ok(())
}

/// Why ours is at 101 and not at 100: there it would depend on who made his chain again last.
fn equal(family: Family) -> Result<(), CannotProve> {
    let chain = |name: &str, to: &str| {
        of(
            family,
            &format!("table ip {name} {{ chain c {{ type nat hook postrouting priority 100; snat to {to}; }}; }}"),
        )
    };
    let [first, second] = match family {
        Family::V4 => ["10.224.0.97", "10.224.0.98"],
        Family::V6 => ["fd00:224::97", "fd00:224::98"],
    };
    let mut lab = Lab::new().unwrap();
    feed(&lab, &chain("first", first))?;
    assert_eq!(source(&mut lab, family, OTHER, Protocol::Udp, 9), ip(first));
    feed(&lab, &chain("second", second))?;
    assert_eq!(source(&mut lab, family, OTHER, Protocol::Udp, 9), ip(second));
    feed(&lab, &of(family, "delete table ip first\n"))?;
    feed(&lab, &chain("first", first))?;
    assert_eq!(source(&mut lab, family, OTHER, Protocol::Udp, 9), ip(first));
    Ok(())
}
