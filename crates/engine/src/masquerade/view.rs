//! A cluster as the checks of this room see it: where its pods and nodes live, and what becomes of their packets.

use crate::addresses::fabric::Fabric;
use causeway_addr::{Cidr, RangeSet};
use causeway_model::design::*;
use causeway_model::finding::Finding;
use causeway_trace::translation::{Effective, Translation, effective};
use std::collections::{BTreeMap, BTreeSet};

/// A range pods or nodes live in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Home {
    /// The range.
    pub(super) cidr: Cidr,
    /// "pod subnet `spoke/pods`", "pod range".
    pub(super) words: String,
    /// Dotted path of the range.
    pub(super) object: String,
}

/// A cluster and what is known about it.
pub(super) struct View<'a> {
    pub(super) design: &'a Design,
    pub(super) name: &'a ClusterName,
    pub(super) cluster: &'a Cluster,
    /// `clusters.NAME`
    pub(super) path: String,
    pub(super) effective: Effective,
    /// Where pods live, in order.
    pub(super) pods: Vec<Home>,
    /// Where nodes live, in order.
    pub(super) nodes: Vec<Home>,
}

impl<'a> View<'a> {
    pub(super) fn new(design: &'a Design, name: &'a ClusterName, cluster: &'a Cluster) -> View<'a> {
        let subnets = |pick: fn(&Pool) -> &Option<SubnetRef>, words: &str| -> Vec<Home> {
            let named: BTreeSet<&SubnetRef> = cluster.pools.values().filter_map(|pool| pick(pool).as_ref()).collect();
            let home = |reference: &SubnetRef, at: usize, cidr: Cidr| Home {
                cidr,
                words: format!("{words} `{reference}`"),
                object: format!("{}.prefixes.{at}", reference.path()),
            };
            named
                .into_iter()
                .filter_map(|reference| Some((reference, design.subnet(reference)?)))
                .flat_map(|(reference, subnet)| {
                    let prefixes = subnet.prefixes.iter().enumerate();
                    prefixes.map(move |(at, cidr)| home(reference, at, *cidr))
                })
                .collect()
        };
        let nodes = subnets(|pool| &pool.subnet, "node subnet");
        let own_range = || {
            let home = |cidr: &Cidr| Home {
                cidr: *cidr,
                words: "pod range".to_owned(),
                object: format!("clusters.{name}.podCidr"),
            };
            cluster.pod_cidrs.iter().map(home).collect()
        };
        let pods = match cluster.mode {
            Some(mode) if mode.uses_pod_subnet() => subnets(|pool| &pool.pod_subnet, "pod subnet"),
            Some(Mode::NodeSubnet) => nodes.clone(),
            Some(_) => own_range(),
            None => Vec::new(),
        };
        let effective = effective(design, name);
        View { design, name, cluster, path: format!("clusters.{name}"), effective, pods, nodes }
    }

    /// What is done to packets, if it is known.
    pub(super) fn translation(&self) -> Option<&Translation> {
        self.effective.known()
    }

    /// Pods live outside the VNet: nobody but the cluster knows their addresses.
    pub(super) fn is_hidden(&self) -> bool {
        self.cluster.mode.is_some_and(Mode::uses_pod_cidr)
    }

    /// The ranges pods live in.
    pub(super) fn pod_ranges(&self) -> RangeSet {
        self.pods.iter().map(|home| home.cidr).collect()
    }

    /// The route tables a packet with a pod's address meets.
    pub(super) fn pod_tables(&self) -> BTreeSet<&'a RouteTableName> {
        let flat = self.cluster.mode.is_some_and(Mode::uses_pod_subnet);
        let subnets = self
            .cluster
            .pools
            .values()
            .filter_map(|pool| if flat { pool.pod_subnet.as_ref() } else { pool.subnet.as_ref() });
        subnets.filter_map(|subnet| self.design.subnet(subnet)?.route_table.as_ref()).collect()
    }

    /// Where a finding about the list as a whole belongs: the first file that takes part, else the settings.
    pub(super) fn list_object(&self) -> String {
        let masquerade = self.cluster.masquerade.as_ref();
        let file = masquerade.and_then(|masquerade| masquerade.reading.files.iter().find(|file| file.takes_part));
        match (file, &self.cluster.observed_exempt) {
            (_, Some(_)) => format!("{}.observedRules.exempt", self.path),
            (Some(file), None) => file.object.clone(),
            (None, None) => format!("{}.masquerade", self.path),
        }
    }
}

/// Everything the checks share.
pub(super) struct Ground<'a> {
    pub(super) design: &'a Design,
    pub(super) fabric: Fabric<'a>,
    pub(super) views: Vec<View<'a>>,
    /// Hosts and private endpoints by the network they are in.
    machines: BTreeMap<&'a NetworkName, Vec<(std::net::IpAddr, String)>>,
}

impl<'a> Ground<'a> {
    pub(super) fn new(design: &'a Design) -> Ground<'a> {
        let mut machines: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (name, host) in &design.hosts {
            if let Some(network) = &host.network {
                machines.entry(network).or_default().push((host.ip, format!("host/{name}")));
            }
        }
        for (name, endpoint) in &design.private_endpoints {
            if let Some(ip) = endpoint.ip {
                machines.entry(&endpoint.subnet.network).or_default().push((ip, format!("privateEndpoint/{name}")));
            }
        }
        let views = design.clusters.iter().map(|(name, cluster)| View::new(design, name, cluster)).collect();
        Ground { design, fabric: Fabric::new(design), views, machines }
    }

    /// The named machines of a network whose address lies in some ranges.
    pub(super) fn machines_in(&self, network: &NetworkName, ranges: &RangeSet) -> Vec<&str> {
        let machines = self.machines.get(network).into_iter().flatten();
        machines.filter(|(ip, _)| ranges.contains(*ip)).map(|(_, name)| name.as_str()).collect()
    }
}

/// A finding's place is its entry's, where it has one.
pub(super) trait AtEntry {
    fn at_entry(self, origin: &causeway_trace::translation::Origin) -> Self;
}

impl AtEntry for Finding {
    fn at_entry(mut self, origin: &causeway_trace::translation::Origin) -> Finding {
        if let Some(object) = origin.object() {
            object.clone_into(&mut self.object);
        }
        self.at = origin.at();
        self
    }
}
