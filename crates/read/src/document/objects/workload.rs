//! Nodes, namespaces, pods and services, as written.

use crate::document::leaf::*;
use crate::document::macros::object;
use causeway_addr::Cidr;
use causeway_model::design::value::*;
use std::net::IpAddr;

object! {
    /// A node.
    Node {
        /// Its address, one per family.
        "ip" ip: Many<IpAddr>,
        /// Its pool.
        "pool" pool: String,
        /// Its zone.
        "zone" zone: String,
        /// Overlay and kubenet: its block.
        "podCidr" pod_cidr: Many<Cidr>,
        /// Node labels.
        "labels" labels: Named<String>,
    }

    /// A namespace.
    Namespace {
        /// Its labels.
        "labels" labels: Named<String>,
    }

    /// A pod.
    Pod {
        /// Its name.
        "name" name: String,
        /// Its namespace; default `default`.
        "namespace" namespace: String,
        /// The node it runs on.
        "node" node: String,
        /// Its address, one per family.
        "ip" ip: Many<IpAddr>,
        /// Its labels.
        "labels" labels: Named<String>,
        /// Ports it answers on, as `tcp/8080` or `http=tcp/8080`.
        "listens" listens: Many<String>,
        /// It uses the node's network.
        "hostNetwork" host_network: bool,
        /// It has ended.
        "terminated" terminated: bool,
        /// The workload whose template it stands for, as `Deployment/app`.
        "templateOf" template_of: String,
    }

    /// A service.
    Service {
        /// Its name.
        "name" name: String,
        /// Its namespace; default `default`.
        "namespace" namespace: String,
        /// `ClusterIP` (default), `NodePort`, `LoadBalancer` or `ExternalName`.
        "type" kind: ServiceType,
        /// Cluster address, one per family.
        "clusterIp" cluster_ip: Many<IpAddr>,
        /// Frontend inside the VNet.
        "internalIp" internal_ip: IpAddr,
        /// The load balancer is internal; default: `internalIp` is given.
        "internal" internal: bool,
        /// The subnet its internal frontend is in, by name.
        "internalSubnet" internal_subnet: String,
        /// Frontend on the internet.
        "publicIp" public_ip: IpAddr,
        /// Ports, as `tcp/80->8080`, `tcp/80->http` or `tcp/80->8080@30080`.
        "ports" ports: Many<String>,
        /// Labels of its pods.
        "selector" selector: Named<String>,
        /// `Cluster` (default) or `Local`.
        "externalTrafficPolicy" external_traffic_policy: TrafficPolicy,
        /// Clients let in; empty = all.
        "sourceRanges" source_ranges: Many<Cidr>,
        /// Health check node port.
        "healthPort" health_port: u16,
        /// Annotations.
        "annotations" annotations: Named<String>,
        /// Its ports that an Ingress or a route sends requests to.
        "routedPorts" routed_ports: Many<u16>,
    }
}
