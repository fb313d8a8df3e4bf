//! Firewalls and appliances by the address routes point at, told apart where networks reuse a range.

use causeway_model::design::{Design, Firewall, FirewallName, NetworkName};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// Who stands at which address.
#[derive(Debug)]
pub(crate) struct Appliances<'a> {
    by_address: BTreeMap<IpAddr, Vec<Standing<'a>>>,
    /// The networks directly reached from each, with itself.
    near: BTreeMap<&'a NetworkName, BTreeSet<&'a NetworkName>>,
    design: &'a Design,
}

#[derive(Debug, Clone, Copy)]
struct Standing<'a> {
    name: &'a FirewallName,
    firewall: &'a Firewall,
    /// Where it stands; `None` where neither its subnet nor its address tells.
    home: Option<&'a NetworkName>,
}

impl<'a> Appliances<'a> {
    pub(crate) fn new(design: &'a Design) -> Self {
        let mut by_address: BTreeMap<IpAddr, Vec<Standing>> = BTreeMap::new();
        for (name, firewall) in &design.firewalls {
            if let Some(ip) = firewall.private_ip {
                let home = home(design, firewall, ip);
                by_address.entry(ip).or_default().push(Standing { name, firewall, home });
            }
        }
        let mut near: BTreeMap<&NetworkName, BTreeSet<&NetworkName>> = BTreeMap::new();
        for peering in design.peerings.iter().filter(|peering| peering.connected) {
            let (one, other) = &peering.between;
            near.entry(one).or_default().insert(other);
            near.entry(other).or_default().insert(one);
        }
        Appliances { by_address, near, design }
    }

    /// Whom a route of a network's subnet means by an address: who stands in the network itself, else in one directly peered with it.
    /// Where the address is in none of them, the only one there is, if there is only one.
    pub(crate) fn at(&self, from: &NetworkName, ip: IpAddr) -> Option<(&'a FirewallName, &'a Firewall)> {
        let standing = self.by_address.get(&ip)?;
        let contains = |name: &NetworkName| {
            let network = self.design.networks.get(name);
            network.is_some_and(|network| network.prefixes.iter().any(|prefix| prefix.contains(ip)))
        };
        let peers = || self.near.get(from).into_iter().flatten().copied().filter(|peer| contains(peer));
        let reached: BTreeSet<&NetworkName> = if contains(from) { BTreeSet::from([from]) } else { peers().collect() };
        let here = |standing: &&Standing<'a>| standing.home.is_some_and(|home| reached.contains(home));
        let placeless = |standing: &&Standing<'a>| standing.home.is_none();
        let found = match standing.iter().find(here) {
            Some(found) => found,
            None if reached.is_empty() => standing.first().filter(|_| standing.len() == 1)?,
            None => standing.iter().find(placeless)?,
        };
        Some((found.name, found.firewall))
    }
}

fn home<'a>(design: &'a Design, firewall: &Firewall, ip: IpAddr) -> Option<&'a NetworkName> {
    if let Some(subnet) = &firewall.subnet {
        return design.networks.get_key_value(&subnet.network).map(|(name, _)| name);
    }
    let mut holding =
        design.networks.iter().filter(|(_, network)| network.prefixes.iter().any(|prefix| prefix.contains(ip)));
    let (name, _) = holding.next()?;
    holding.next().is_none().then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(peerings: &str, firewalls: &str, from: &str) -> Option<String> {
        let text = format!(
            "{{causeway: 1, networks: {{east: {{prefixes: [10.0.0.0/16], subnets: {{fw: {{prefix: 10.0.1.0/24}}}}}}, \
             west: {{prefixes: [10.0.0.0/16], subnets: {{fw: {{prefix: 10.0.1.0/24}}}}}}, \
             spoke: {{prefixes: [10.1.0.0/16]}}}}, peerings: [{peerings}], firewalls: {{{firewalls}}}}}"
        );
        let input = causeway_read::Input { name: "d.yaml".into(), bytes: text.into(), kind: None, found: false };
        let read = causeway_read::load(vec![input], &causeway_read::files::MemoryFiles::default());
        let design = read.outcome.unwrap().design;
        let found = Appliances::new(&design).at(&NetworkName::from(from), "10.0.1.4".parse().unwrap());
        found.map(|(name, _)| name.to_string())
    }

    #[test]
    fn networks_that_reuse_a_range_have_their_own_firewalls() {
        let east = "one: {kind: azureFirewall, subnet: east/fw, privateIp: 10.0.1.4}";
        let both = format!("{east}, two: {{kind: azureFirewall, subnet: west/fw, privateIp: 10.0.1.4}}");
        assert_eq!(at("", &both, "east").as_deref(), Some("one"));
        assert_eq!(at("", &both, "west").as_deref(), Some("two"));
        assert_eq!(at("{between: [spoke, west]}", &both, "spoke").as_deref(), Some("two"));
        // Which of two is meant from afar is not known.
        assert_eq!(at("", &both, "spoke"), None);
        // Another network's firewall is not in this one, though its address is.
        assert_eq!(at("", east, "west"), None);
        assert_eq!(at("", east, "spoke").as_deref(), Some("one"));
        // Nobody says where it stands.
        assert_eq!(at("", "nva: {kind: nva, privateIp: 10.0.1.4}", "west").as_deref(), Some("nva"));
    }
}
