//! The ways out of a cluster, as its subnets' route tables say.

use super::desk::Desk;
use causeway_model::design::{Cluster, ClusterName, Firewall, FirewallName, NextHop, OutboundType};
use std::collections::{BTreeMap, BTreeSet};

/// Appliances and firewalls on the way out of a cluster.
#[derive(Debug, Default)]
pub(super) struct Ways<'a> {
    /// Firewalls of the design.
    pub(super) firewalls: BTreeMap<&'a FirewallName, &'a Firewall>,
    /// Appliances the design does not describe.
    pub(super) strangers: BTreeSet<String>,
    /// What is not known, with what would tell.
    pub(super) open: Vec<(String, String)>,
}

impl<'a> Ways<'a> {
    pub(super) fn of(desk: &Desk<'a>, name: &ClusterName, cluster: &'a Cluster) -> Self {
        let design = desk.design;
        let mut ways = Ways::default();
        let mut tables = BTreeSet::new();
        for subnet in super::ranges::subnets(cluster) {
            match design.subnet(subnet) {
                Some(value) if !value.prefixes.is_empty() => {
                    tables.extend(value.route_table.iter().map(|table| (&subnet.network, table)))
                }
                _ => ways.open.push((
                    format!("nothing is known of `{subnet}` but its name"),
                    format!("`az network vnet show` of `{}`", subnet.network),
                )),
            }
        }
        for (network, table) in tables {
            let Some(value) = design.route_tables.get(table).filter(|value| value.known) else {
                ways.open.push((
                    format!("what route table `{table}` says is not known"),
                    format!("`az network route-table show` of `{table}`"),
                ));
                continue;
            };
            for route in &value.routes {
                match route.next_hop {
                    NextHop::Appliance(ip) => match desk.appliances.at(network, ip) {
                        Some((name, firewall)) => {
                            ways.firewalls.insert(name, firewall);
                        }
                        None => {
                            ways.strangers.insert(ip.to_string());
                        }
                    },
                    NextHop::UnknownAppliance => {
                        ways.strangers.insert("an address not known yet".to_owned());
                    }
                    NextHop::Internet | NextHop::Vnet | NextHop::Gateway | NextHop::None => {}
                }
            }
        }
        let routed = cluster.outbound.kind == OutboundType::UserDefinedRouting;
        if routed && ways.firewalls.is_empty() && ways.strangers.is_empty() && ways.open.is_empty() {
            ways.open.push((
                format!("`{name}` leaves by routes, and no route to an appliance is in the design"),
                format!("the route table of the subnets of `{name}`"),
            ));
        }
        ways
    }

    /// Packets meet an appliance, known or not.
    pub(super) fn any(&self) -> bool {
        !self.firewalls.is_empty() || !self.strangers.is_empty()
    }
}
