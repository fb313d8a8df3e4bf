//! Who holds addresses on subnets besides nodes and pods. A subnet lists the ids of what holds an address there; the ids
//! tell nodes from private endpoints, load balancers and other machines, also where those were not given themselves.

use super::endpoints;
use super::inventory::Object;
use super::kind::Kind;
use super::resource::ResourceId;
use super::translate::Translation;
use super::value::*;
use crate::tree::{MapBuilder, Node};
use causeway_model::source::Span;
use std::collections::{BTreeMap, BTreeSet};

/// Addresses per subnet that are no objects of the design.
#[derive(Debug, Default)]
pub(super) struct Occupancy(BTreeMap<ResourceId, Counts>);

#[derive(Debug, Default)]
struct Counts {
    endpoints: Holders,
    frontends: Holders,
    nics: Holders,
    gateways: Holders,
}

/// Ids of what holds addresses, each with the place it was read.
type Holders = BTreeMap<ResourceId, Span>;

impl Occupancy {
    /// The `other` of a subnet; `None` where nothing is known of others.
    pub(super) fn other(&self, subnet: &Object) -> Option<Node> {
        let counts = self.0.get(&subnet.id)?;
        let count = |holders: &Holders| {
            let span = holders.values().min()?;
            Some(Node::plain(*span, holders.len().to_string()))
        };
        let builder = MapBuilder::new(subnet.get("ipConfigurations").map_or(subnet.span(), |list| list.span))
            .set("privateEndpoints", None, count(&counts.endpoints))
            .set("loadBalancerFrontends", None, count(&counts.frontends))
            .set("nics", None, count(&counts.nics))
            .set("applicationGateways", None, count(&counts.gateways));
        (!builder.is_empty()).then(|| builder.build())
    }
}

/// What an id of an address's holder says.
enum Holder {
    /// A node of a cluster that was given, one of its pods, or its API server in the network: the cluster's own
    /// arithmetic has it.
    Node,
    /// The private endpoint of a cluster's API server, of which the cluster's arithmetic knows too.
    ApiEndpoint(ResourceId),
    /// A node of a cluster that was not given.
    ForeignNode,
    /// A private endpoint's interface.
    Endpoint,
    /// A load balancer.
    Frontend,
    /// Any other machine or gateway.
    Machine,
}

/// Counts who holds addresses on every subnet.
pub(super) fn count(cx: &mut Translation) -> Occupancy {
    let known = Known::of(cx);
    let mut out = Occupancy::default();
    let mut foreign: BTreeMap<(String, bool), (usize, Span)> = BTreeMap::new();
    for subnet in cx.inventory.of(Kind::Subnet) {
        let mut counts = Counts::default();
        let mut held: BTreeMap<ResourceId, Span> = BTreeMap::new();
        for configuration in subnet.all("ipConfigurations").into_iter().filter_map(id_of) {
            held.entry(cx.inventory.settled(&configuration.0)).or_insert(configuration.1.span);
        }
        let complete = !held.is_empty();
        for (id, span) in known.configurations.get(&subnet.id).into_iter().flatten() {
            held.entry(id.clone()).or_insert(*span);
        }
        for (id, span) in held {
            let holders = match known.holder(cx, &subnet.id, &id) {
                Holder::Node => continue,
                Holder::ApiEndpoint(cluster) => {
                    cx.api_endpoints.entry(cluster).or_insert((subnet.id.clone(), span));
                    continue;
                }
                Holder::ForeignNode => {
                    // Without a given cluster on the subnet they compete with nobody, or are the nodes of a cluster that
                    // a design file describes.
                    let competes = known.used.contains(&subnet.id);
                    let group = id.group().unwrap_or_default().to_lowercase();
                    foreign.entry((group, competes)).or_insert((0, span)).0 += 1;
                    if !competes {
                        continue;
                    }
                    &mut counts.nics
                }
                Holder::Endpoint => &mut counts.endpoints,
                Holder::Frontend => &mut counts.frontends,
                Holder::Machine if known.hosts.contains(&id) => continue,
                Holder::Machine => &mut counts.nics,
            };
            holders.insert(id, span);
        }
        known.settle_endpoints(cx, subnet, &mut counts, complete);
        counts.gateways = known.gateways(cx, subnet);
        out.0.insert(subnet.id.clone(), counts);
    }
    for ((group, competes), (addresses, span)) in foreign {
        let then = if competes {
            "counted as they are now, without growth or surge"
        } else {
            "not counted, since no cluster that was exported is on the subnet"
        };
        cx.unknown(
            span,
            format!("nodes of a cluster that was not given (resource group `{group}`) hold {addresses} addresses here: they are {then}"),
        );
    }
    out
}

/// What other objects tell about holders of addresses.
struct Known {
    /// Subnets of API servers that stand in the network, with the cluster.
    api_subnets: BTreeMap<ResourceId, ResourceId>,
    /// Private endpoints that are objects of the design, by subnet.
    endpoints: BTreeMap<ResourceId, Vec<ResourceId>>,
    /// First configurations of interfaces that become hosts: the host holds the address.
    hosts: BTreeSet<ResourceId>,
    /// Configurations by subnet, as interfaces and load balancers tell them.
    configurations: BTreeMap<ResourceId, BTreeMap<ResourceId, Span>>,
    /// Subnets that pools of given clusters are on.
    used: BTreeSet<ResourceId>,
    /// Names of pools of clusters whose node resource group is not known, as scale sets have them.
    pool_prefixes: Vec<String>,
    /// Application gateways that are an ingress of a cluster: the design has them there.
    ingress: BTreeSet<ResourceId>,
}

impl Known {
    fn of(cx: &Translation) -> Known {
        let mut known = Known {
            api_subnets: super::aks::api_subnets(cx),
            endpoints: BTreeMap::new(),
            hosts: BTreeSet::new(),
            configurations: BTreeMap::new(),
            used: BTreeSet::new(),
            pool_prefixes: Vec::new(),
            ingress: super::aks::application_gateways(cx),
        };
        let own = |endpoint: &&Object| !endpoints::is_of_api_server(cx, &endpoint.id);
        for endpoint in cx.inventory.of(Kind::PrivateEndpoint).filter(own) {
            if let Some((subnet, _)) = endpoint.first(|body| reference(body, "subnet")) {
                known.endpoints.entry(cx.inventory.settled(&subnet)).or_default().push(endpoint.id.clone());
            }
        }
        for (kind, key, step) in [
            (Kind::NetworkInterface, "ipConfigurations", "ipConfigurations"),
            (Kind::LoadBalancer, "frontendIPConfigurations", "frontendIPConfigurations"),
        ] {
            for owner in cx.inventory.of(kind) {
                for configuration in owner.all(key) {
                    let id = configuration.get_ci("id").and_then(id_of).map(|(id, _)| cx.inventory.settled(&id));
                    let name = text(configuration, "name").and_then(Node::text);
                    let id = id.or_else(|| owner.id.child(step, name?));
                    let subnet = reference(configuration, "subnet");
                    if let (Some(id), Some((subnet, at))) = (id, subnet) {
                        known
                            .configurations
                            .entry(cx.inventory.settled(&subnet))
                            .or_default()
                            .entry(id)
                            .or_insert(at.span);
                    }
                }
            }
        }
        let pools = cx.inventory.of(Kind::NodePool).flat_map(|pool| &pool.bodies);
        let subnets = pools.flat_map(|body| ["vnetSubnetID", "podSubnetID"].map(|key| reference(body, key)));
        known.used = subnets.flatten().map(|(subnet, _)| cx.inventory.settled(&subnet)).collect();
        known.hosts = super::nic::first_configurations(cx);
        known.pool_prefixes = cx
            .inventory
            .of(Kind::NodePool)
            .filter(|pool| {
                let cluster = pool.id.parent().and_then(|id| cx.inventory.get(&id));
                cluster.is_none_or(|cluster| super::aks::node_resource_group(cluster).is_none())
            })
            .map(|pool| format!("aks-{}-", pool.name.to_lowercase()))
            .collect();
        known
    }

    fn holder(&self, cx: &Translation, subnet: &ResourceId, id: &ResourceId) -> Holder {
        let cluster = id.group().and_then(|group| cx.cluster_of_group(group));
        let in_node_group = cluster.is_some();
        // An API server in the network takes a fixed number of addresses, whatever shows of them.
        if cluster.is_some() && self.api_subnets.get(subnet) == cluster {
            return Holder::Node;
        }
        let owner = |kind: &str| id.ancestor(kind);
        if let Some(scale_set) = owner("microsoft.compute/virtualmachinescalesets") {
            let name = scale_set.name().to_lowercase();
            let of_a_pool = in_node_group || self.pool_prefixes.iter().any(|prefix| name.starts_with(prefix));
            return match of_a_pool {
                true => Holder::Node,
                false if name.starts_with("aks-") => Holder::ForeignNode,
                false => Holder::Machine,
            };
        }
        if let Some(nic) = owner(Kind::NetworkInterface.arm()) {
            if is_endpoint(cx, &nic, id) {
                let private = |id: &&ResourceId| cx.inventory.get(id).is_some_and(super::aks::has_private_endpoint);
                return cluster.filter(private).map_or(Holder::Endpoint, |id| Holder::ApiEndpoint(id.clone()));
            }
            return if in_node_group { Holder::Node } else { Holder::Machine };
        }
        if owner(Kind::LoadBalancer.arm()).is_some() { Holder::Frontend } else { Holder::Machine }
    }

    /// Application gateways on a subnet: those the subnet lists, and those that say they stand there.
    fn gateways(&self, cx: &Translation, subnet: &Object) -> Holders {
        let listed = subnet.bodies.iter().flat_map(|body| references(body, "applicationGatewayIPConfigurations"));
        let mut found: Holders = listed
            .filter_map(|(id, at)| Some((id.ancestor(Kind::ApplicationGateway.arm())?, at.span)))
            .map(|(id, span)| (cx.inventory.settled(&id), span))
            .collect();
        for gateway in cx.inventory.of(Kind::ApplicationGateway) {
            let configurations = gateway.all("gatewayIPConfigurations");
            let mut subnets = configurations.into_iter().filter_map(|configuration| reference(configuration, "subnet"));
            if let Some((_, at)) = subnets.find(|(id, _)| cx.inventory.settled(id) == subnet.id) {
                found.entry(gateway.id.clone()).or_insert(at.span);
            }
        }
        found.retain(|id, _| !self.ingress.contains(id));
        found
    }

    /// A private endpoint holds one address as an object of the design; only what it holds on top is counted. Endpoints
    /// that the subnet lists and whose interface can't be told from a machine's are taken from the machines.
    fn settle_endpoints(&self, cx: &Translation, subnet: &Object, counts: &mut Counts, complete: bool) {
        let given = self.endpoints.get(&subnet.id).map_or(&[][..], Vec::as_slice);
        let mut wanted: BTreeMap<ResourceId, Span> = subnet
            .bodies
            .iter()
            .flat_map(|body| references(body, "privateEndpoints"))
            .map(|(id, at)| (cx.inventory.settled(&id), at.span))
            .filter(|(id, _)| !endpoints::is_of_api_server(cx, id))
            .collect();
        for id in given {
            wanted.entry(id.clone()).or_insert(subnet.name_span);
        }
        // Each endpoint takes one of the addresses of endpoints' interfaces: one with its own name, else any.
        let mut left = counts.endpoints.clone();
        let mut without = Vec::new();
        for (endpoint, span) in wanted {
            let name = format!("{}.nic.", endpoint.name().to_lowercase());
            let own = |id: &&ResourceId| {
                id.ancestor(Kind::NetworkInterface.arm())
                    .is_some_and(|nic| nic.name().to_lowercase().starts_with(&name))
            };
            match left.keys().find(own).cloned() {
                Some(configuration) => {
                    left.remove(&configuration);
                    if given.contains(&endpoint) {
                        counts.endpoints.remove(&configuration);
                    }
                }
                None => without.push((endpoint, span)),
            }
        }
        for (endpoint, span) in without {
            let is_object = given.contains(&endpoint);
            if let Some((configuration, _)) = left.pop_first() {
                if is_object {
                    counts.endpoints.remove(&configuration);
                }
                continue;
            }
            let knows_its_nic =
                cx.inventory.get(&endpoint).is_some_and(|endpoint| !endpoint.all("networkInterfaces").is_empty());
            if complete && !knows_its_nic {
                counts.nics.pop_first();
            }
            if !is_object {
                counts.endpoints.insert(endpoint, span);
            }
        }
    }
}

/// An endpoint's interface, by what names it; else by the names Azure gives (`NAME.nic.GUID` with a configuration
/// `privateEndpointIpConfig.GUID`).
fn is_endpoint(cx: &Translation, nic: &ResourceId, configuration: &ResourceId) -> bool {
    cx.endpoint_nics.contains(nic)
        || nic.name().to_ascii_lowercase().contains(".nic.")
        || configuration.name().to_ascii_lowercase().starts_with("privateendpointipconfig")
}
