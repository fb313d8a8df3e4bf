//! What a security group makes of one packet: rules by priority, the first that matches decides, the platform's own come last.
//!
//! What some rules match can't be told (members of application security groups, prefixes of service tags). That matters only where the
//! answer hangs on it.

use super::stopped;
use super::walk::{Walk, policies};
use crate::answer::{Decision, Direction, Missing, Owner};
use crate::story::Keeper;
use crate::who::is_public;
use crate::world::Holder;
use causeway_addr::special as purpose;
use causeway_dataplane::packet::{Packet, Protocol};
use causeway_model::design::{
    Access, AddressMatch, ClusterName, Direction as Towards, NetworkName, PortMatch, Protocol as Wanted, SecurityGroup,
    SecurityGroupName, SecurityRule, Service, SubnetName, SubnetRef,
};
use causeway_model::facts::{nsg, special};
use std::net::IpAddr;

/// Whether something matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Matches {
    No,
    Unclear,
    Yes,
}

impl Matches {
    fn of(yes: bool) -> Matches {
        if yes { Matches::Yes } else { Matches::No }
    }
}

/// What a group says.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Judgement {
    allows: bool,
    /// The rule that decides, by its place; `None` = one of the platform's.
    rule: Option<usize>,
    name: String,
    /// The answer hangs on whether this rule matches.
    doubt: Option<usize>,
}

impl<'a> super::walk::Walk<'_, 'a, '_> {
    /// What leaves a machine: its interface's group first, then its subnet's.
    pub(super) fn filters_out(
        &mut self,
        network: &'a NetworkName,
        subnet: Option<&'a SubnetName>,
        who: Option<Holder<'a>>,
        packet: &Packet,
    ) {
        if let Some(Holder::PrivateEndpoint(_, endpoint)) = who
            && !policies(self.world, endpoint).0
        {
            return;
        }
        self.nic(network, subnet, who, Towards::Outbound, packet);
        self.of_subnet(network, subnet, Towards::Outbound, packet);
    }

    /// What reaches a machine: its subnet's group first, then its interface's.
    pub(super) fn filters_in(
        &mut self,
        network: &'a NetworkName,
        subnet: Option<&'a SubnetName>,
        who: Option<Holder<'a>>,
        packet: &Packet,
    ) {
        self.of_subnet(network, subnet, Towards::Inbound, packet);
        self.nic(network, subnet, who, Towards::Inbound, packet);
    }

    /// Behind a frontend: the subnet's group is its owner's affair, the interface's is opened by the cluster, for the clients it lets in.
    pub(super) fn enter(
        &mut self,
        network: &'a NetworkName,
        subnet: Option<&'a SubnetName>,
        (cluster, service): (&'a ClusterName, &'a Service),
        packet: &Packet,
    ) {
        self.of_subnet(network, subnet, Towards::Inbound, packet);
        let ranges = &service.source_ranges;
        if self.direction == Direction::Reply
            || ranges.is_empty()
            || ranges.iter().any(|range| range.prefix_len() == 0 || range.contains(packet.source))
        {
            return;
        }
        let services = self.world.design.clusters.get(cluster).map_or(&[][..], |cluster| &cluster.services);
        let at = services.iter().position(|known| std::ptr::eq(known, service)).unwrap_or(0);
        let object = format!("clusters.{cluster}.services.{at}.sourceRanges");
        if packet.source.is_unspecified() {
            self.story.lacks(Missing::new(
                format!("whether `{}` lets the client's public address in", service.name),
                "state the public addresses the client leaves with",
            ));
            return;
        }
        let because = format!(
            "`{}` lets in {} only from its source ranges, and {} is in none",
            service.name, "clients", packet.source
        );
        let decision = Decision::new(Owner::Nsg, object, because).rule("loadBalancerSourceRanges");
        let fix = format!("add {} to loadBalancerSourceRanges of `{}`", packet.source, service.name);
        self.story.obstacle(self.direction, stopped(self.direction), decision, fix);
    }

    /// The platform's own services are behind no group but rules that name their tag.
    pub(super) fn platform_filters(&mut self, entry: super::Entry<'a>, packet: &Packet) {
        let tag = match packet.destination == IpAddr::V4(special::METADATA.value) {
            true => "AzurePlatformIMDS",
            false => "AzurePlatformDNS",
        };
        let nic = match entry.who {
            Some(Holder::Host(_, host)) => host.nsg.as_ref(),
            _ => None,
        };
        let of_subnet = self.subnet(entry.network, entry.subnet).and_then(|(_, subnet)| subnet.nsg.as_ref());
        for name in nic.into_iter().chain(of_subnet) {
            let Some(group) = self.world.design.security_groups.get(name).filter(|group| group.known) else { continue };
            let names = |rule: &SecurityRule| {
                rule.direction == Towards::Outbound
                    && rule.protocol.is_none_or(|wanted| is_protocol(wanted, packet.protocol))
                    && rule
                        .destination
                        .iter()
                        .any(|item| matches!(item, AddressMatch::Tag(known) if known.eq_ignore_ascii_case(tag)))
            };
            let first = group
                .rules
                .iter()
                .enumerate()
                .filter(|(_, rule)| names(rule))
                .min_by_key(|(at, rule)| (rule.priority, *at));
            let Some((at, rule)) = first.filter(|(_, rule)| rule.access == Access::Deny) else { continue };
            let because = format!("rule `{}` of security group `{name}` denies `{tag}`", rule.name);
            let decision = Decision::new(Owner::Nsg, format!("networkSecurityGroups.{name}.rules.{at}"), because)
                .rule(rule.name.clone());
            let fix = format!("allow {} before priority {}", packet.destination, rule.priority);
            self.story.obstacle(self.direction, stopped(self.direction), decision, fix);
        }
    }

    fn nic(
        &mut self,
        network: &'a NetworkName,
        subnet: Option<&'a SubnetName>,
        who: Option<Holder<'a>>,
        towards: Towards,
        packet: &Packet,
    ) {
        if let Some(Holder::Host(_, host)) = who
            && let Some(group) = &host.nsg
        {
            self.ask(group, network, subnet, towards, packet);
        }
    }

    pub(super) fn of_subnet(
        &mut self,
        network: &'a NetworkName,
        subnet: Option<&'a SubnetName>,
        towards: Towards,
        packet: &Packet,
    ) {
        if let Some((_, value)) = self.subnet(network, subnet)
            && let Some(group) = &value.nsg
        {
            self.ask(group, network, subnet, towards, packet);
        }
    }

    /// A group remembers what it let through: answers are not asked again.
    fn ask(
        &mut self,
        name: &'a SecurityGroupName,
        network: &'a NetworkName,
        subnet: Option<&'a SubnetName>,
        towards: Towards,
        packet: &Packet,
    ) {
        let place =
            SubnetRef { network: network.clone(), subnet: subnet.cloned().unwrap_or_else(|| SubnetName::from("")) };
        let keeper = Keeper::Filter(place);
        match self.direction {
            Direction::Forward => {}
            Direction::Reply if self.story.has_seen(&keeper, packet) => return,
            Direction::Reply => {}
        }
        if self.direction == Direction::Forward
            && !self.story.passed.iter().any(|passed| passed.keeper == keeper && passed.packet == *packet)
        {
            self.story.pass(keeper, *packet);
        }
        let Some(group) = self.world.design.security_groups.get(name).filter(|group| group.known) else {
            self.story.lacks(Missing::new(
                format!("the rules of security group `{name}`"),
                format!("`az network nsg show --name {name} -o json`, or write them under networkSecurityGroups.{name}.rules"),
            ));
            return;
        };
        let judgement = self.judge(group, network, subnet, towards, packet);
        let way = if towards == Towards::Inbound { "inbound" } else { "outbound" };
        if let Some(at) = judgement.doubt {
            let rule = group.rules.get(at).map_or("", |rule| rule.name.as_str());
            self.story.lacks(Missing::new(
                format!("whether {way} rule `{rule}` of security group `{name}` matches {} to {}", packet.source, packet.destination),
                "`az network nic list-effective-nsg` shows what its tags and application security groups stand for; or write prefixes",
            ));
        }
        if judgement.allows {
            return;
        }
        let object = judgement.rule.map_or_else(
            || format!("networkSecurityGroups.{name}"),
            |at| format!("networkSecurityGroups.{name}.rules.{at}"),
        );
        let because = format!(
            "{way} rule `{}` of security group `{name}` denies {} to {}",
            judgement.name, packet.source, packet.destination
        );
        let decision = Decision::new(Owner::Nsg, object, because).rule(judgement.name);
        let fix = format!(
            "allow {} from {} to {}{} {way} in `{name}`, before that rule",
            protocol_words(packet.protocol),
            packet.source,
            packet.destination,
            match packet.destination_port {
                0 => String::new(),
                port => format!(" port {port}"),
            },
        );
        self.story.obstacle(self.direction, stopped(self.direction), decision, fix);
    }

    fn judge(
        &self,
        group: &SecurityGroup,
        network: &'a NetworkName,
        subnet: Option<&'a SubnetName>,
        towards: Towards,
        packet: &Packet,
    ) -> Judgement {
        let mut rules: Vec<(u32, usize, &SecurityRule)> = group
            .rules
            .iter()
            .enumerate()
            .filter(|(_, rule)| rule.direction == towards)
            .map(|(at, rule)| (rule.priority, at, rule))
            .collect();
        rules.sort_unstable_by_key(|(priority, at, _)| (*priority, *at));
        let tags = Tags { walk: self, network, subnet };
        let mut unclear: Vec<(usize, bool)> = Vec::new();
        let mut decided = None;
        for (_, at, rule) in rules {
            let allows = rule.access == Access::Allow;
            match matches(&tags, rule, packet, self.direction) {
                Matches::No => {}
                Matches::Unclear => unclear.push((at, allows)),
                Matches::Yes => {
                    decided = Some((allows, Some(at), rule.name.clone()));
                    break;
                }
            }
        }
        let (allows, rule, name) = decided.unwrap_or_else(|| {
            let (allows, name) = by_default(&tags, towards, packet);
            (allows, None, name.to_owned())
        });
        let doubt = unclear.iter().find(|(_, other)| *other != allows).map(|(at, _)| *at);
        Judgement { allows, rule, name, doubt }
    }
}

/// The platform's own rules (azure-facts `nsg.defaults_inbound`).
fn by_default(tags: &Tags<'_, '_, '_, '_>, towards: Towards, packet: &Packet) -> (bool, &'static str) {
    let rules = match towards {
        Towards::Inbound => nsg::DEFAULT_INBOUND.value,
        Towards::Outbound => nsg::DEFAULT_OUTBOUND,
    };
    let inside = |tag: &str, address| match tag {
        "*" => true,
        // Overlay pods and what routes lead to count as inside: both work behind these rules.
        tag => tags.tag(tag, address) != Matches::No,
    };
    let found =
        rules.iter().find(|rule| inside(rule.source, packet.source) && inside(rule.destination, packet.destination));
    found.map_or((false, ""), |rule| (rule.allow, rule.name))
}

fn matches(tags: &Tags<'_, '_, '_, '_>, rule: &SecurityRule, packet: &Packet, direction: Direction) -> Matches {
    if rule.protocol.is_some_and(|wanted| !is_protocol(wanted, packet.protocol)) {
        return Matches::No;
    }
    let has_ports = matches!(packet.protocol, Protocol::Tcp | Protocol::Udp | Protocol::Sctp);
    // The port a program was given by its kernel is not known; the walk's stands for any.
    let (given, named) = match direction {
        Direction::Forward => (&rule.source_ports, &rule.ports),
        Direction::Reply => (&rule.ports, &rule.source_ports),
    };
    let known = match direction {
        Direction::Forward => packet.destination_port,
        Direction::Reply => packet.source_port,
    };
    let named = match has_ports {
        true => Matches::of(named.is_empty() || named.iter().any(|port| port.contains(known))),
        false => Matches::of(named.is_empty() || named.iter().any(|port| is_everything(*port))),
    };
    let given = if has_ports { of_given_ports(given) } else { Matches::Yes };
    let source = tags.any(&rule.source, packet.source);
    let destination = tags.any(&rule.destination, packet.destination);
    named.min(given).min(source).min(destination)
}

fn is_everything(port: PortMatch) -> bool {
    match port {
        PortMatch::Any => true,
        PortMatch::Range(first, last) => first <= 1 && last == u16::MAX,
    }
}

/// Ports that kernels give out: Linux from 32768 to 60999, Windows from 49152 (`net.ipv4.ip_local_port_range`); translation may put others.
fn of_given_ports(ports: &[PortMatch]) -> Matches {
    if ports.is_empty()
        || ports.iter().any(|port| {
            matches!(port, PortMatch::Any) || matches!(port, PortMatch::Range(first, u16::MAX) if *first <= 1024)
        })
    {
        return Matches::Yes;
    }
    let touched = ports.iter().any(|port| matches!(port, PortMatch::Range(_, last) if *last >= 1024));
    if touched { Matches::Unclear } else { Matches::No }
}

pub(super) fn is_protocol(wanted: Wanted, protocol: Protocol) -> bool {
    match (wanted, protocol) {
        (Wanted::Tcp, Protocol::Tcp)
        | (Wanted::Udp, Protocol::Udp)
        | (Wanted::Icmp, Protocol::Icmp)
        | (Wanted::Sctp, Protocol::Sctp) => true,
        (Wanted::Esp, Protocol::Other(number)) => number == 50,
        (Wanted::Ah, Protocol::Other(number)) => number == 51,
        _ => false,
    }
}

pub(super) fn protocol_words(protocol: Protocol) -> String {
    match protocol {
        Protocol::Tcp => "tcp".to_owned(),
        Protocol::Udp => "udp".to_owned(),
        Protocol::Sctp => "sctp".to_owned(),
        Protocol::Icmp => "icmp".to_owned(),
        Protocol::Other(number) => format!("protocol {number}"),
    }
}

/// What address matches mean for machines of a subnet.
pub(super) struct Tags<'t, 'w, 'a, 's> {
    pub(super) walk: &'t Walk<'w, 'a, 's>,
    pub(super) network: &'a NetworkName,
    pub(super) subnet: Option<&'a SubnetName>,
}

impl Tags<'_, '_, '_, '_> {
    /// Whether any of a list matches.
    pub(super) fn any(&self, addresses: &[AddressMatch], address: IpAddr) -> Matches {
        let mut best = Matches::No;
        for wanted in addresses {
            best = best.max(self.one(wanted, address));
        }
        best
    }

    fn one(&self, wanted: &AddressMatch, address: IpAddr) -> Matches {
        match wanted {
            AddressMatch::Any => Matches::Yes,
            AddressMatch::Cidr(cidr) if address.is_unspecified() => match () {
                () if cidr.prefix_len() == 0 && cidr.is_v4() == address.is_ipv4() => Matches::Yes,
                () if cidr.is_v4() == address.is_ipv4() && purpose::touches_public(cidr) => Matches::Unclear,
                () => Matches::No,
            },
            AddressMatch::Cidr(cidr) => Matches::of(cidr.contains(address)),
            AddressMatch::Tag(tag) => self.tag(tag, address),
            AddressMatch::ApplicationSecurityGroup(_) => {
                let inside = self.tag("VirtualNetwork", address) != Matches::No;
                if inside && !is_public(address) { Matches::Unclear } else { Matches::No }
            }
        }
    }

    /// Whether a service tag has an address.
    fn tag(&self, tag: &str, address: IpAddr) -> Matches {
        let service = tag.split_once('.').map_or(tag, |(service, _)| service);
        let is = |name: &str| service.eq_ignore_ascii_case(name);
        let outside = is_public(address) || address.is_unspecified();
        if is("VirtualNetwork") {
            self.virtual_network(address)
        } else if is("AzureLoadBalancer") {
            Matches::of(address == IpAddr::V4(special::PLATFORM_DNS.value))
        } else if is("Internet") {
            Matches::of(outside && self.virtual_network(address) != Matches::Yes)
        } else if outside {
            Matches::Unclear
        } else {
            Matches::No
        }
    }

    /// The VNet, what peers show, what gateways learned, the platform's address; prefixes of user-defined routes count as well, as far as
    /// documents go, and whether an overlay's pods do is stated nowhere.
    fn virtual_network(&self, address: IpAddr) -> Matches {
        if address == IpAddr::V4(special::PLATFORM_DNS.value) {
            return Matches::Yes;
        }
        let routes = &self.walk.world.routes;
        if routes.reach(self.network, address).is_some() || routes.learned(self.network, address).is_some() {
            return Matches::Yes;
        }
        let subnet = self.walk.subnet(self.network, self.subnet);
        if !is_public(address)
            && !address.is_unspecified()
            && subnet.is_some_and(|(_, subnet)| routes.user(subnet, address).is_some())
        {
            return Matches::Unclear;
        }
        let overlay = self.walk.world.clusters().any(|view| {
            view.in_pod_cidr(address) && view.cluster.networks().into_iter().any(|network| network == self.network)
        });
        if overlay { Matches::Unclear } else { Matches::No }
    }
}
