//! Addresses of single objects: in the subnet, network or range they are said to be in, and not one Azure keeps.

use super::ground::{Ground, listed};
use causeway_addr::Cidr;
use causeway_addr::special::Class;
use causeway_model::codes;
use causeway_model::design::*;
use causeway_model::facts::address;
use causeway_model::finding::{Finding, Severity};
use std::collections::BTreeSet;
use std::net::IpAddr;

/// Where an object's addresses have to be.
pub(super) struct Place {
    /// "subnet `spoke/endpoints`".
    pub(super) words: String,
    /// Its ranges; empty = not known, nothing can be said.
    pub(super) ranges: Vec<Cidr>,
    /// The network whose subnets keep addresses for Azure.
    pub(super) network: Option<NetworkName>,
    /// How bad it is to be outside.
    pub(super) severity: Severity,
    /// What else there is to say.
    pub(super) because: Option<String>,
}

impl Place {
    pub(super) fn range(words: impl Into<String>, ranges: &[Cidr]) -> Place {
        Place { words: words.into(), ranges: ranges.to_vec(), network: None, severity: Severity::Error, because: None }
    }

    /// Any of these subnets; `None` if there are none or one of them has no known prefix.
    pub(super) fn subnets<'s>(design: &Design, subnets: impl IntoIterator<Item = &'s SubnetRef>) -> Option<Place> {
        let subnets: BTreeSet<&SubnetRef> = subnets.into_iter().collect();
        let mut ranges = Vec::new();
        for subnet in &subnets {
            let prefixes = &design.subnet(subnet)?.prefixes;
            if prefixes.is_empty() {
                return None;
            }
            ranges.extend(prefixes);
        }
        let names: Vec<&SubnetRef> = subnets.iter().copied().collect();
        let plural = if names.len() == 1 { "subnet" } else { "subnets" };
        Some(Place {
            network: Some(names.first()?.network.clone()),
            ..Place::range(format!("{plural} {}", listed(&names)), &ranges)
        })
    }

    pub(super) fn holds(&self, ip: IpAddr) -> bool {
        self.ranges.is_empty() || self.ranges.iter().any(|range| range.contains(ip))
    }
}

pub(super) fn check(ground: &Ground, out: &mut Vec<Finding>) {
    let design = ground.design;
    for (name, host) in &design.hosts {
        host_address(ground, name, host, out);
    }
    for (name, endpoint) in &design.private_endpoints {
        let place = Place::subnets(design, [&endpoint.subnet]);
        hold(
            ground,
            out,
            &format!("private endpoint `{name}`"),
            format!("privateEndpoints.{name}.ip"),
            endpoint.ip,
            place,
        );
    }
    for (name, firewall) in &design.firewalls {
        let place = Place::subnets(design, &firewall.subnet);
        hold(
            ground,
            out,
            &format!("firewall `{name}`"),
            format!("firewalls.{name}.privateIp"),
            firewall.private_ip,
            place,
        );
        public(out, &format!("firewall `{name}`"), &format!("firewalls.{name}.publicIps"), &firewall.public_ips);
    }
    for (name, gateway) in &design.nat_gateways {
        public(out, &format!("NAT gateway `{name}`"), &format!("natGateways.{name}.publicIps"), &gateway.public_ips);
    }
    for (at, peering) in design.peerings.iter().enumerate() {
        shown(ground, at, peering, out);
    }
    for (name, cluster) in &design.clusters {
        super::held_in_cluster::check(ground, name, cluster, out);
    }
}

fn host_address(ground: &Ground, name: &HostName, host: &Host, out: &mut Vec<Finding>) {
    let path = format!("hosts.{name}.ip");
    let Some((network, value)) =
        host.network.as_ref().and_then(|network| ground.design.networks.get_key_value(network))
    else {
        let class = Class::of(&Cidr::host(host.ip));
        if class != Class::Public && !matches!(class, Class::Documentation | Class::Reserved | Class::Benchmarking) {
            let message =
                format!("host `{name}` is said to be on the internet, where `{}` does not exist ({class})", host.ip);
            let place =
                located(ground, host.ip).map_or(String::new(), |place| format!("; the address lies in {place}"));
            out.push(
                Finding::new(codes::ADDRESS_OUTSIDE_RANGE, path, message)
                    .on(host.ip)
                    .help(format!("name the network the host is in, or correct its address{place}")),
            );
        }
        return;
    };
    // A subnet that is outside its network has a finding of its own.
    let on_subnet = !ground.fabric.subnets_in(network, &Cidr::host(host.ip)).is_empty();
    let mut place = Place::range(super::ground::network_words(ground.design, network), &value.prefixes);
    if value.kind == NetworkKind::Vnet {
        place.network = Some(network.clone());
    }
    if on_subnet {
        place.ranges.clear();
    }
    hold(ground, out, &format!("host `{name}`"), path, [host.ip], Some(place));
}

/// Says where an address should have been, and that Azure keeps it.
pub(super) fn hold(
    ground: &Ground,
    out: &mut Vec<Finding>,
    who: &str,
    path: String,
    ips: impl IntoIterator<Item = IpAddr>,
    place: Option<Place>,
) {
    let Some(place) = place else {
        return;
    };
    for ip in ips {
        if !place.holds(ip) {
            out.push(outside(ground, who, &path, ip, &place));
        } else if let Some(network) = &place.network {
            out.extend(kept_by_azure(ground, who, &path, ip, network));
        }
    }
}

fn outside(ground: &Ground, who: &str, path: &str, ip: IpAddr, place: &Place) -> Finding {
    let message = format!("{who} has address `{ip}`, which is not in {} ({})", place.words, listed(&place.ranges));
    let found = located(ground, ip);
    let mut finding = Finding::new(codes::ADDRESS_OUTSIDE_RANGE, path, message).severity(place.severity).on(ip);
    for range in &place.ranges {
        finding = finding.on(range);
    }
    if let Some(found) = &found {
        finding = finding.evidence(format!("`{ip}` lies in {found}"));
    }
    if let Some(because) = &place.because {
        finding = finding.evidence(because.clone());
    }
    finding.help(match found {
        Some(found) => format!("correct the address, or say that it is in {found}"),
        None => "correct the address, or the place it is said to be in".to_owned(),
    })
}

/// The first four addresses and the last of every subnet are Azure's.
fn kept_by_azure(ground: &Ground, who: &str, path: &str, ip: IpAddr, network: &NetworkName) -> Option<Finding> {
    let kept = address::SUBNET_RESERVED;
    let first = u128::from(address::FIRST_ASSIGNABLE_OFFSET.value);
    let (prefix, subnet) = ground.fabric.subnets_in(network, &Cidr::host(ip)).into_iter().find(|(prefix, _)| {
        prefix.index_of(ip).is_some_and(|index| index < first) || (prefix.is_v4() && prefix.last() == ip)
    })?;
    let message = format!("{who} has address `{ip}`, which Azure keeps for itself in subnet `{subnet}` (`{prefix}`)");
    let lowest = prefix.nth(first).filter(|free| prefix.last() != *free);
    Some(
        Finding::new(codes::ADDRESS_OUTSIDE_RANGE, path, message)
            .on(ip)
            .on(prefix)
            .evidence(format!(
                "the first four addresses and the last of a subnet are never given to machines: {}",
                kept.cite()
            ))
            .related(format!("{}.prefix", subnet.path()), format!("subnet `{subnet}`"))
            .since(kept.as_of)
            .help(match lowest {
                Some(lowest) => format!("use an address from `{lowest}` on"),
                None => "use a larger subnet: this one has no address for a machine".to_owned(),
            }),
    )
}

/// The subnet or network an address is really in.
fn located(ground: &Ground, ip: IpAddr) -> Option<String> {
    let networks = &ground.design.networks;
    let host = Cidr::host(ip);
    let subnet = networks.keys().find_map(|network| ground.fabric.subnets_in(network, &host).pop());
    if let Some((prefix, subnet)) = subnet {
        return Some(format!("subnet `{subnet}` (`{prefix}`)"));
    }
    networks.iter().find_map(|(name, network)| {
        let prefix = network.prefixes.iter().find(|prefix| prefix.prefix_len() > 0 && prefix.contains(ip))?;
        Some(format!("{} (`{prefix}`)", super::ground::network_words(ground.design, name)))
    })
}

/// A public address is not from private space.
pub(super) fn public(out: &mut Vec<Finding>, who: &str, path: &str, ips: &[IpAddr]) {
    for ip in ips {
        let class = Class::of(&Cidr::host(*ip));
        if class.is_private() {
            let message = format!("{who} has public address `{ip}`, which the internet does not route ({class})");
            out.push(
                Finding::new(codes::ADDRESS_OUTSIDE_RANGE, path, message)
                    .on(ip)
                    .help("give the address others see on the internet, or leave it out"),
            );
        }
    }
}

/// Subnet peering can show only what the network has.
fn shown(ground: &Ground, at: usize, peering: &Peering, out: &mut Vec<Finding>) {
    for (name, prefixes) in &peering.only {
        let Some(network) = ground.design.networks.get(name).filter(|network| !network.prefixes.is_empty()) else {
            continue;
        };
        for prefix in prefixes.iter().filter(|prefix| !network.prefixes.iter().any(|space| space.covers(prefix))) {
            out.push(
                Finding::new(
                    codes::ADDRESS_OUTSIDE_RANGE,
                    format!("peerings.{at}.only.{name}"),
                    format!(
                        "the peering shows `{prefix}` of network `{name}`, which has only {}",
                        listed(&network.prefixes)
                    ),
                )
                .on(prefix)
                .related(format!("networks.{name}.prefixes"), format!("address space of `{name}`"))
                .help("show prefixes of the network, or parts of them"),
            );
        }
    }
}
