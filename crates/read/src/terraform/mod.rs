//! Plans and states of Terraform (`terraform show -json`) become Azure resources in Resource Manager's words, so that one
//! translation makes designs of all exports.
//!
//! A plan leaves out what is known after apply, above all ids. Who refers to whom is then read from the configuration the
//! plan carries: an id that is not known can only come from an object that is made, and the expression that sets it leads
//! there, through variables, outputs and modules ([`resolve`]). Objects without an id get one that is made of what is known
//! of them ([`ids`]). What can't be resolved stays unknown and is said.

mod address;
mod aks;
mod azapi;
mod body;
mod egress;
mod filters;
mod firewall;
mod gateways;
mod ids;
mod names;
mod network;
mod plan;
mod resolve;
mod unread;
mod unrelated;
mod view;
mod world;

use crate::azure::{Resource, ResourceId};
use crate::tree::{MapBuilder, Node};
use causeway_model::design::{Note, NoteKind};
use causeway_model::source::{Sources, Span};
use ids::Ids;
use plan::Instance;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
pub(crate) use unrelated::is_unrelated_arm;
use view::{Cx, View};
use world::World;

/// What a plan or a state says.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    /// What will be, or what is where the document is a state.
    pub(crate) after: Vec<Resource>,
    /// What is; `None` for a state and for a plan without changes.
    pub(crate) before: Option<Vec<Resource>>,
    /// Ids, in lower case, of objects that exist and are changed or removed.
    pub(crate) changed: BTreeSet<String>,
    /// Ids of objects of which one value changes, with the value's name.
    pub(crate) touched: BTreeSet<(String, &'static str)>,
    /// Kubernetes objects the plan makes.
    pub(crate) objects: Vec<Node>,
    /// Clusters that will be there, and of which the document says nothing: `None` where the id is not known either.
    pub(crate) undescribed: Vec<Undescribed>,
}

/// An object that is there and not described: its name, its id where that is known, and where it is named.
#[derive(Debug, Clone)]
pub(crate) struct Undescribed {
    pub(crate) name: Arc<str>,
    pub(crate) id: Option<ResourceId>,
    pub(crate) at: Span,
}

/// Whether a document says how things are, and not what becomes of them.
pub(crate) fn is_state(document: &Node) -> bool {
    document.get("planned_values").is_none() && document.get("resource_changes").is_none()
}

/// Reads one document of `terraform show -json`.
pub(crate) fn read(document: &Node, sources: &Sources, notes: &mut Vec<Note>) -> Reading {
    let plan = plan::read(document, notes);
    if plan.after.is_empty() && plan.before.is_none() {
        let message = "the plan or state holds no objects".to_owned();
        notes.push(Note { kind: NoteKind::NotUnderstood, message, at: Some(document.span) });
    }
    let world = World::new(plan.after, plan.configuration, plan.variables);
    let ids = Ids::of(&world, notes);
    // What there was says nothing that is not known, and what it holds that nobody understands was said of what there will be.
    let mut quiet = Vec::new();
    let old = plan.before.map(|before| World::new(before, None, None));
    let old_ids = old.as_ref().map(|old| Ids::of(old, &mut quiet));
    let mut own = own_parts(&world, &ids, sources);
    if let (Some(old), Some(ids)) = (&old, &old_ids) {
        own.append(&mut own_parts(old, ids, sources));
    }
    let (after, objects, undescribed) = resources(&world, &ids, sources, &own, notes);
    let before = match (&old, &old_ids) {
        (Some(old), Some(ids)) => Some(resources(old, ids, sources, &own, &mut quiet).0),
        _ => None,
    };
    Reading { after, before, changed: plan.changed, touched: plan.touched, objects, undescribed }
}

fn resources(
    world: &World,
    ids: &Ids,
    sources: &Sources,
    own: &BTreeSet<String>,
    notes: &mut Vec<Note>,
) -> (Vec<Resource>, Vec<Node>, Vec<Undescribed>) {
    let mut cx = Cx {
        world,
        ids,
        sources,
        notes,
        own,
        out: Vec::new(),
        concluded: RefCell::default(),
        gathered: BTreeMap::new(),
        undescribed: Vec::new(),
    };
    let mut foreign: BTreeMap<Arc<str>, (usize, Span)> = BTreeMap::new();
    let mut unrelated: BTreeMap<Arc<str>, (usize, Span)> = BTreeMap::new();
    let (mut patches, mut objects) = (Vec::new(), Vec::new());
    // Associations of NAT gateways are gathered before the gateways are looked at.
    let is_association = |instance: &Instance| instance.kind.starts_with("azurerm_nat_gateway_public_ip");
    let (first, second): (Vec<_>, Vec<_>) =
        world.instances.iter().enumerate().partition(|(_, instance)| is_association(instance));
    for (at, instance) in first.into_iter().chain(second) {
        let view = View::of(instance, at);
        if azapi::is_update(&instance.kind) {
            patches.extend(azapi::update(&mut cx, &view));
        } else if let Some(object) = kubernetes_object(&mut cx, instance, &view) {
            objects.extend(object);
        } else if !one(&mut cx, instance, &view) {
            let what = match instance.kind.starts_with("azapi_") {
                true => azapi::type_of(instance).unwrap_or_else(|| instance.kind.clone()),
                false => instance.kind.clone(),
            };
            let kinds = if unrelated::is_unrelated(instance, &what) { &mut unrelated } else { &mut foreign };
            kinds.entry(what).or_insert((0, instance.at)).0 += 1;
        }
    }
    egress::say_what_was_gathered(&mut cx);
    cx.notes.extend(foreign.iter().map(|(kind, (count, at))| foreign_note(kind, *count, *at)));
    cx.notes.extend(left_out_note(&unrelated));
    for (at, message) in cx.concluded.take() {
        cx.unknown(at, message);
    }
    unread::report(&world.instances, cx.notes);
    let mut out = cx.out;
    azapi::apply(patches, &mut out);
    (out, objects, cx.undescribed)
}

/// Translates one object; false for types nobody here knows.
fn one<'a>(cx: &mut Cx<'_, 'a>, instance: &Instance<'a>, view: &View<'a>) -> bool {
    match instance.kind.as_ref() {
        "azurerm_virtual_network" => network::virtual_network(cx, view),
        "azurerm_virtual_network_dns_servers" => network::dns_servers(cx, view),
        "azurerm_subnet" => network::subnet(cx, view),
        "azurerm_virtual_network_peering" => network::peering(cx, view),
        "azurerm_subnet_route_table_association" => {
            network::subnet_association(cx, view, "route_table_id", network::ROUTE_TABLE, "routeTable");
        }
        "azurerm_subnet_network_security_group_association" => {
            let attribute = "network_security_group_id";
            network::subnet_association(cx, view, attribute, network::SECURITY_GROUP, "networkSecurityGroup");
        }
        "azurerm_subnet_nat_gateway_association" => {
            network::subnet_association(cx, view, "nat_gateway_id", network::NAT_GATEWAY, "natGateway");
        }
        "azurerm_route_table" => filters::route_table(cx, view),
        "azurerm_route" => filters::route(cx, view),
        "azurerm_network_security_group" => filters::security_group(cx, view),
        "azurerm_network_security_rule" => filters::security_rule(cx, view),
        "azurerm_nat_gateway" => egress::nat_gateway(cx, view),
        "azurerm_nat_gateway_public_ip_association" => {
            egress::nat_association(cx, view, "public_ip_address_id", egress::PUBLIC_IP, "publicIpAddresses");
        }
        "azurerm_nat_gateway_public_ip_prefix_association" => {
            egress::nat_association(cx, view, "public_ip_prefix_id", egress::PUBLIC_IP_PREFIX, "publicIpPrefixes");
        }
        "azurerm_public_ip" => egress::public_ip(cx, view),
        "azurerm_public_ip_prefix" => egress::public_ip_prefix(cx, view),
        "azurerm_lb" => egress::load_balancer(cx, view),
        "azurerm_lb_outbound_rule" => egress::outbound_rule(cx, view),
        "azurerm_firewall" => firewall::firewall(cx, view),
        "azurerm_firewall_policy" => firewall::policy(cx, view),
        "azurerm_firewall_policy_rule_collection_group" => firewall::rule_collection_group(cx, view),
        "azurerm_firewall_network_rule_collection" => firewall::classic(cx, view, "networkRuleCollections"),
        "azurerm_firewall_nat_rule_collection" => firewall::classic(cx, view, "natRuleCollections"),
        "azurerm_firewall_application_rule_collection" => firewall::classic(cx, view, "applicationRuleCollections"),
        "azurerm_ip_group" => firewall::ip_group(cx, view),
        "azurerm_ip_group_cidr" => firewall::ip_group_cidr(cx, view),
        "azurerm_private_endpoint" => names::private_endpoint(cx, view),
        "azurerm_private_dns_zone" => names::zone(cx, view),
        "azurerm_private_dns_zone_virtual_network_link" => names::link(cx, view),
        "azurerm_private_dns_a_record" => names::records(cx, view, "aRecords", "ipv4Address"),
        "azurerm_private_dns_aaaa_record" => names::records(cx, view, "aaaaRecords", "ipv6Address"),
        "azurerm_private_dns_cname_record" => names::alias(cx, view),
        "azurerm_network_interface" => gateways::network_interface(cx, view),
        "azurerm_network_interface_security_group_association" => gateways::interface_security_group(cx, view),
        "azurerm_application_gateway" => gateways::application_gateway(cx, view),
        "azurerm_application_load_balancer" => gateways::for_containers(cx, view),
        "azurerm_application_load_balancer_subnet_association" => gateways::for_containers_subnet(cx, view),
        "azurerm_virtual_network_gateway" => gateways::network_gateway(cx, view),
        "azurerm_local_network_gateway" => gateways::local_gateway(cx, view),
        "azurerm_virtual_network_gateway_connection" => gateways::connection(cx, view),
        "azurerm_kubernetes_cluster" => aks::cluster(cx, view),
        "azurerm_kubernetes_automatic_cluster" => aks::automatic(cx, view),
        "azurerm_kubernetes_cluster_node_pool" => aks::pool(cx, view),
        "azapi_resource" if azapi::type_of(instance).is_some_and(|arm| crate::azure::knows(&arm)) => {
            azapi::resource(cx, view);
        }
        _ => return false,
    }
    true
}

/// Parts that are objects of the configuration: what their wholes list besides is older. With marks for what associations say.
fn own_parts(world: &World, ids: &Ids, sources: &Sources) -> BTreeSet<String> {
    let nothing = BTreeSet::new();
    let mut quiet = Vec::new();
    let cx = Cx {
        world,
        ids,
        sources,
        notes: &mut quiet,
        own: &nothing,
        out: Vec::new(),
        concluded: RefCell::default(),
        gathered: BTreeMap::new(),
        undescribed: Vec::new(),
    };
    let mut own = BTreeSet::new();
    for (at, instance) in world.instances.iter().enumerate().filter(|(_, instance)| !instance.data) {
        let view = View::of(instance, at);
        let subnet = |what: &str| {
            let (subnet, _) = network::named(&cx, &view, "subnet_id", network::SUBNET)?;
            Some(network::association(&subnet, what))
        };
        own.extend(match instance.kind.as_ref() {
            "azurerm_subnet_route_table_association" => subnet("routeTable"),
            "azurerm_subnet_network_security_group_association" => subnet("networkSecurityGroup"),
            "azurerm_virtual_network_dns_servers" => {
                let network = network::named(&cx, &view, "virtual_network_id", network::NETWORK);
                network.map(|(network, _)| network::servers_of(&network))
            }
            "azurerm_ip_group_cidr" => {
                let group = network::named(&cx, &view, "ip_group_id", "Microsoft.Network/ipGroups");
                group.map(|(group, _)| firewall::cidrs_of(&group))
            }
            _ => ids.get(at).map(|id| id.key().to_owned()),
        });
    }
    own
}

/// Kubernetes objects the plan makes itself. `None` for other resources.
fn kubernetes_object<'a>(cx: &mut Cx<'_, 'a>, instance: &Instance<'a>, view: &View<'a>) -> Option<Vec<Node>> {
    if instance.data {
        return None;
    }
    match instance.kind.as_ref() {
        "kubernetes_config_map" | "kubernetes_config_map_v1" => {
            let metadata = view.block("metadata")?;
            let text = |key: &'static str| metadata.node(key).filter(|node| node.text().is_some()).cloned();
            let at = view.at;
            let metadata = MapBuilder::new(metadata.span())
                .set("name", None, text("name")?)
                .set("namespace", None, text("namespace").unwrap_or_else(|| Node::str(at, "default")))
                .build();
            let object = MapBuilder::new(at)
                .set("apiVersion", None, Node::str(at, "v1"))
                .set("kind", None, Node::str(at, "ConfigMap"))
                .set("metadata", None, metadata)
                .set("data", None, view.node("data")?.clone())
                .build();
            Some(vec![object])
        }
        "kubernetes_manifest" => Some(crate::kubernetes::objects(view.node("manifest")?)),
        "kubectl_manifest" => {
            let text = view.node("yaml_body").or_else(|| view.node("yaml_body_parsed"))?;
            let documents = crate::tree::parse_in_scalar(cx.sources, text, &crate::tree::Limits::default()).ok()?;
            Some(documents.iter().flat_map(crate::kubernetes::objects).collect())
        }
        _ => None,
    }
}

/// How many objects of a type have no part in the design, which may be missed there.
pub(crate) fn foreign_note(kind: &str, count: usize, at: Span) -> Note {
    let message = match count {
        1 => format!("one resource of type `{kind}`: it has no part in the design"),
        _ => format!("{count} resources of type `{kind}`: they have no part in the design"),
    };
    Note { kind: NoteKind::NotUnderstood, message, at: Some(at) }
}

/// What was left out because it has no part in a network.
pub(crate) fn left_out_note<K: AsRef<str>>(kinds: &BTreeMap<K, (usize, Span)>) -> Option<Note> {
    let (_, first) = kinds.values().min_by_key(|(_, at)| *at)?;
    let count: usize = kinds.values().map(|(count, _)| count).sum();
    let names: Vec<String> = kinds.keys().map(|kind| format!("`{}`", kind.as_ref())).collect();
    let resources = if count == 1 { "one resource has".to_owned() } else { format!("{count} resources have") };
    let message = format!("{resources} no part in a network: {}", names.join(", "));
    Some(Note { kind: NoteKind::LeftOut, message, at: Some(*first) })
}
