//! A design: everything a network and its clusters are, resolved and typed.
//!
//! Names that refer to other objects are known to exist ([`crate::design::Design`] is only built when they do). Defaults are filled in,
//! and each one that was is listed in [`Design::assumed`]; what nobody stated and nothing implies stays `None`.

mod cluster;
mod expectation;
mod names;
mod network;
pub mod value;
mod workload;

pub use cluster::*;
pub use expectation::*;
pub use names::*;
pub use network::*;
pub use value::*;
pub use workload::*;

use crate::finding::{Finding, Places};
use causeway_addr::Cidr;
use std::collections::BTreeMap;

/// Everything that was read, as one model. The default is a design that says nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Design {
    /// Its name.
    pub name: String,
    /// Virtual networks and sites.
    pub networks: BTreeMap<NetworkName, Network>,
    /// Peerings of virtual networks.
    pub peerings: Vec<Peering>,
    /// Route tables.
    pub route_tables: BTreeMap<RouteTableName, RouteTable>,
    /// Network security groups.
    pub security_groups: BTreeMap<SecurityGroupName, SecurityGroup>,
    /// NAT gateways.
    pub nat_gateways: BTreeMap<NatGatewayName, NatGateway>,
    /// Firewalls and appliances.
    pub firewalls: BTreeMap<FirewallName, Firewall>,
    /// Machines outside the clusters.
    pub hosts: BTreeMap<HostName, Host>,
    /// Private endpoints.
    pub private_endpoints: BTreeMap<PrivateEndpointName, PrivateEndpoint>,
    /// Private DNS zones by domain.
    pub private_dns_zones: BTreeMap<String, PrivateDnsZone>,
    /// Public names.
    pub public_dns: BTreeMap<String, PublicName>,
    /// Clusters.
    pub clusters: BTreeMap<ClusterName, Cluster>,
    /// Growth to plan for.
    pub growth: Option<Growth>,
    /// Utilisation, in percent, above which a range is reported; `None` = not stated.
    pub alarm_at: Option<u32>,
    /// What applications open.
    pub loads: Vec<Load>,
    /// Answers only people can give, by checklist key.
    pub records: BTreeMap<String, Record>,
    /// Findings people live with.
    pub accept: Vec<Acceptance>,
    /// Tests of the network.
    pub expect: Vec<Expectation>,
    /// Platform limits that differ from the dated facts, by the name the facts give them (`routesPerTable`).
    pub limit_overrides: BTreeMap<String, u64>,
    /// Some of it comes from exports: the order it was written in means nothing.
    pub exported: bool,
    /// Where everything was written.
    pub places: Places,
    /// Defaults that were filled in.
    pub assumed: Vec<Assumption>,
    /// What was read and not understood; what an export leaves open.
    pub notes: Vec<Note>,
    /// What reading itself found (host bits, exports that disagree).
    pub findings: Vec<Finding>,
    /// What the design looked like before the change that was read (plans and what-if results carry it).
    pub before: Option<Box<Design>>,
}

/// A default that was filled in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Assumption {
    /// Dotted path of the field.
    pub object: String,
    /// The value.
    pub value: String,
    /// Where the default comes from.
    pub because: String,
}

/// Something a reader has to say that is no finding: a field or an object it does not understand, a value not known yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// What kind of thing it is.
    pub kind: NoteKind,
    /// In words.
    pub message: String,
    /// Where.
    pub at: Option<crate::source::Span>,
}

/// What a [`Note`] is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NoteKind {
    /// Read, and not understood: it has no part in any answer.
    NotUnderstood,
    /// The API server would refuse it as it stands there: whatever rests on it is no answer about a cluster.
    Refused,
    /// Known to exist, but its value is not known yet (a plan before apply, an id without its object).
    Unknown,
    /// Read and understood, and left out on purpose: it has no part in a network.
    LeftOut,
}

impl Design {
    /// The subnet behind a reference; `None` only for references of another design.
    pub fn subnet(&self, reference: &SubnetRef) -> Option<&Subnet> {
        self.networks.get(&reference.network)?.subnets.get(&reference.subnet)
    }

    /// Every subnet with its reference, in name order.
    pub fn subnets(&self) -> impl Iterator<Item = (SubnetRef, &Subnet)> {
        self.networks.iter().flat_map(|(network, value)| {
            value
                .subnets
                .iter()
                .map(move |(subnet, value)| (SubnetRef { network: network.clone(), subnet: subnet.clone() }, value))
        })
    }

    /// The networks directly peered with one, with the peering.
    pub fn peers<'a>(&'a self, network: &'a NetworkName) -> impl Iterator<Item = (&'a NetworkName, &'a Peering)> {
        self.peerings.iter().filter_map(move |peering| match &peering.between {
            (one, other) if one == network => Some((other, peering)),
            (other, one) if one == network => Some((other, peering)),
            _ => None,
        })
    }

    /// The prefixes a side of a peering shows to the other one.
    pub fn shown<'a>(&'a self, peering: &'a Peering, side: &NetworkName) -> &'a [Cidr] {
        match peering.only.get(side) {
            Some(only) => only,
            None => self.networks.get(side).map_or(&[], |network| &network.prefixes),
        }
    }
}

impl Cluster {
    /// The networks its pools' subnets are in, in name order; usually one.
    pub fn networks(&self) -> std::collections::BTreeSet<&NetworkName> {
        self.pools
            .values()
            .flat_map(|pool| [&pool.subnet, &pool.pod_subnet])
            .flatten()
            .map(|subnet| &subnet.network)
            .collect()
    }

    /// The mode of one pool: its own, else the cluster's.
    pub fn mode_of(&self, pool: &Pool) -> Option<Mode> {
        pool.mode.or(self.mode)
    }
}
