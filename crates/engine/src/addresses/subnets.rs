//! Subnets of one network: inside it, apart from each other, of a size the platform takes.

use super::fabric::common;
use super::ground::{Ground, MOST_NAMES, first_of, listed, spelled};
use causeway_addr::{Cidr, overlaps};
use causeway_model::codes;
use causeway_model::design::*;
use causeway_model::facts::address;
use causeway_model::finding::Finding;
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn check(ground: &Ground, out: &mut Vec<Finding>) {
    for (name, network) in &ground.design.networks {
        outside(ground, name, network, out);
        overlapping(ground, name, network, out);
    }
}

fn path(network: &NetworkName, subnet: &SubnetName) -> String {
    format!("networks.{network}.subnets.{subnet}.prefix")
}

/// Each prefix of a subnet lies in one prefix of its network.
fn outside(ground: &Ground, name: &NetworkName, network: &Network, out: &mut Vec<Finding>) {
    // An export may leave the address space open; then nothing can be said.
    if network.prefixes.is_empty() {
        return;
    }
    for (subnet, value) in &network.subnets {
        for prefix in &value.prefixes {
            if network.prefixes.iter().any(|space| space.covers(prefix)) {
                continue;
            }
            let partly: Vec<&Cidr> = network.prefixes.iter().filter(|space| space.overlaps(prefix)).collect();
            let message = if partly.is_empty() {
                format!("subnet `{name}/{subnet}` is `{prefix}`, which network `{name}` does not contain")
            } else {
                format!(
                    "subnet `{name}/{subnet}` is `{prefix}`, of which network `{name}` contains only {}",
                    listed(&partly)
                )
            };
            let free = ground.proposals.subnet(network, prefix.family(), prefix.prefix_len());
            let help = match free {
                Some(free) => format!(
                    "move the subnet into the network, `{free}` is free there; or add `{prefix}` to the network's prefixes first"
                ),
                None => format!("add `{prefix}` to the network's prefixes first; nothing of that size is free in it"),
            };
            let grow = address::VNET_GROWTH_NEEDS_UPDATE;
            let mut finding = Finding::new(codes::SUBNET_OUTSIDE_NETWORK, path(name, subnet), message)
                .on(prefix)
                .evidence(format!("`networks.{name}.prefixes`: {}", listed(&network.prefixes)))
                .related(format!("networks.{name}.prefixes"), format!("address space of `{name}`"))
                .help(help);
            if !ground.users(name).is_empty() {
                finding = finding.evidence(format!("after the VNet has grown, its clusters need an empty update before a pool can use the new space: {}", grow.cite()));
            }
            out.push(finding);
        }
    }
}

/// No address belongs to two subnets; the one written later gets the finding.
fn overlapping(ground: &Ground, name: &NetworkName, network: &Network, out: &mut Vec<Finding>) {
    let mut order: Vec<_> =
        network.subnets.iter().map(|(subnet, value)| (ground.written(&path(name, subnet)), subnet, value)).collect();
    order.sort_by(|(one, first, _), (other, second, _)| (one, first).cmp(&(other, second)));
    // An export may say one prefix in two fields.
    let once = |value: &Subnet| value.prefixes.iter().copied().collect::<BTreeSet<Cidr>>();
    let entries: Vec<(Cidr, &SubnetName)> = order
        .iter()
        .flat_map(|(_, subnet, value)| once(value).into_iter().map(move |prefix| (prefix, *subnet)))
        .collect();
    let mut collisions: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (earlier, later) in overlaps(&entries) {
        collisions.entry(later).or_default().push(earlier);
    }
    for (later, earlier) in collisions {
        let Some((prefix, subnet)) = entries.get(later) else {
            continue;
        };
        let others: Vec<&(Cidr, &SubnetName)> = earlier.iter().filter_map(|at| entries.get(*at)).collect();
        let names: Vec<String> = others.iter().map(|(_, other)| format!("{name}/{other}")).collect();
        let message = match others.as_slice() {
            [(other, same)] if same == subnet => {
                format!("subnet `{name}/{subnet}` has `{prefix}` and `{other}`, which overlap")
            }
            [(other, _), ..] => {
                format!("subnet `{name}/{subnet}` is `{prefix}` and overlaps {} (`{other}`)", first_of(&names))
            }
            [] => continue,
        };
        let mut finding = Finding::new(codes::SUBNETS_OVERLAP, path(name, subnet), message).on(prefix);
        for (other, named) in others.iter().take(MOST_NAMES) {
            let part = common(prefix, other).unwrap_or(*prefix);
            finding = finding
                .on(other)
                .evidence(format!("`{name}/{named}` is `{other}`; shared: {}", spelled(&part)))
                .related(path(name, named), format!("subnet `{name}/{named}`, `{other}`"));
        }
        let free = ground.proposals.subnet(network, prefix.family(), prefix.prefix_len());
        out.push(finding.help(match free {
            Some(free) => format!("move one of the two; `{free}` is free in network `{name}`"),
            None => {
                format!("move or shrink one of the two; nothing of the size of `{prefix}` is free in network `{name}`")
            }
        }));
    }
}
