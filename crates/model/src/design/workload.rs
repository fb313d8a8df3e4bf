//! What runs in a cluster: nodes, namespaces, pods, services, policies.

use super::names::*;
use super::value::*;
use crate::policy::{Policy, Subject};
use causeway_addr::Cidr;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// A node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its addresses, one per family.
    pub ips: Vec<IpAddr>,
    /// Its pool; `None` = not stated.
    pub pool: Option<PoolName>,
    /// Its zone.
    pub zone: Option<String>,
    /// Overlay and kubenet: its block of the pod range.
    pub pod_cidrs: Vec<Cidr>,
    /// Node labels.
    pub labels: BTreeMap<String, String>,
}

/// A namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Namespace {
    /// Its labels.
    pub labels: BTreeMap<String, String>,
}

/// A pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pod {
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// The node it runs on; `None` = not stated.
    pub node: Option<NodeName>,
    /// Its addresses, one per family; empty when none is known yet.
    pub ips: Vec<IpAddr>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Ports its containers answer on.
    pub listens: Vec<(Protocol, u16)>,
    /// Names of ports.
    pub named_ports: BTreeMap<String, (Protocol, u16)>,
    /// It uses the node's network.
    pub host_network: bool,
    /// It has ended: it holds no address and no policy sees it.
    pub terminated: bool,
    /// It stands for pods of a workload (a Deployment's template) rather than one that runs.
    pub template_of: Option<String>,
}

/// A service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// Its type.
    pub kind: ServiceType,
    /// Cluster addresses; empty when headless or unknown.
    pub cluster_ips: Vec<IpAddr>,
    /// Frontend inside the VNet.
    pub internal_ip: Option<IpAddr>,
    /// The load balancer is internal.
    pub internal: bool,
    /// The subnet an annotation asks the internal frontend to be in, by name.
    pub internal_subnet: Option<String>,
    /// Frontend on the internet.
    pub public_ip: Option<IpAddr>,
    /// Its ports.
    pub ports: Vec<ServicePort>,
    /// Labels of its pods; empty = none (endpoints are kept by hand).
    pub selector: BTreeMap<String, String>,
    /// Default Cluster.
    pub external_traffic_policy: TrafficPolicy,
    /// Clients a load balancer lets in; empty = all.
    pub source_ranges: Vec<Cidr>,
    /// `healthCheckNodePort`.
    pub health_port: Option<u16>,
    /// Annotations that matter to the load balancer, key to value.
    pub annotations: BTreeMap<String, String>,
    /// Its ports that an Ingress or a route sends requests to.
    pub routed_ports: Vec<u16>,
}

/// A port of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServicePort {
    /// TCP, UDP or SCTP.
    pub protocol: Protocol,
    /// The port clients use.
    pub port: u16,
    /// Where it goes.
    pub target: TargetPort,
    /// The port on the node, where there is one.
    pub node_port: Option<u16>,
}

/// The port on the pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TargetPort {
    /// A number.
    Number(u16),
    /// A named port of the pod.
    Name(String),
}

/// A policy object as Kubernetes writes it. What several of them mean together is another room's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyObject {
    /// `NetworkPolicy`, `CiliumNetworkPolicy`, `ClusterNetworkPolicy`, ...
    pub kind: String,
    /// As `networking.k8s.io/v1`.
    pub api_version: String,
    /// Its name.
    pub name: String,
    /// Its namespace; `None` for cluster-wide kinds.
    pub namespace: Option<String>,
    /// The object as JSON, keys in the order written.
    pub json: String,
    /// What it says; `None` for kinds that are not understood (an engine's own).
    pub meaning: Option<Policy>,
    /// Whom one of a kind that is not understood selects at most, any of these; `None` = not known: then everybody of its namespace, or
    /// everybody.
    pub selects: Option<Vec<Subject>>,
}
