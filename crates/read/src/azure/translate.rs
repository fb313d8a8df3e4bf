//! From objects to the design tree: what others refer to is added, everything gets its name, and each section is written
//! by the file that knows its subject.

use super::inventory::{Inventory, Object};
use super::kind::Kind;
use super::names::Names;
use super::resource::{Resource, ResourceId};
use super::value::id_of;
use crate::tree::{Entry, MapBuilder, Node, Value};
use causeway_model::design::{Note, NoteKind};
use causeway_model::finding::Finding;
use causeway_model::source::{FileId, Span};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Translates objects into one design tree: a mapping in the language of the design file, without `causeway` and `name`.
/// All objects must be given at once, because they refer to each other; their order does not matter (only where two
/// inputs contradict each other, the first is believed).
pub fn translate(resources: Vec<Resource>, notes: &mut Vec<Note>, findings: &mut Vec<Finding>) -> Node {
    one(resources, &NamesByKind::new(), notes, findings).0
}

/// The same for what there will be and what there is, so that what is the same object has the same name in both. What is
/// to be noted is said of what there will be.
pub fn translate_change(
    after: Vec<Resource>,
    before: Vec<Resource>,
    notes: &mut Vec<Note>,
    findings: &mut Vec<Finding>,
) -> (Node, Node) {
    let (after, names) = one(after, &NamesByKind::new(), notes, findings);
    let (before, _) = one(before, &names, &mut Vec::new(), &mut Vec::new());
    (after, before)
}

type NamesByKind = BTreeMap<Kind, Names>;

fn one(
    resources: Vec<Resource>,
    others: &NamesByKind,
    notes: &mut Vec<Note>,
    findings: &mut Vec<Finding>,
) -> (Node, NamesByKind) {
    let span = resources.first().map_or(Span { file: FileId(0), start: 0, end: 0 }, |resource| resource.body.span);
    let mut inventory = Inventory::new(resources, notes);
    refer_to_the_rest(&mut inventory);
    let mut cx = Translation::new(inventory, others, notes, findings);
    cx.note_what_is_missing();
    super::disagree::report(&mut cx);
    super::unread::report(&mut cx);
    let tree = MapBuilder::new(span)
        .set("networks", None, section(super::network::networks(&mut cx)))
        .set("peerings", None, super::peering::peerings(&mut cx))
        .set("routeTables", None, section(super::routes::tables(&mut cx)))
        .set("networkSecurityGroups", None, section(super::nsg::groups(&mut cx)))
        .set("natGateways", None, section(super::nat::gateways(&mut cx)))
        .set("firewalls", None, section(super::firewall::firewalls(&mut cx)))
        .set("hosts", None, section(super::nic::hosts(&mut cx)))
        .set("privateEndpoints", None, section(super::endpoints::endpoints(&mut cx)))
        .set("privateDnsZones", None, section(super::dns::zones(&mut cx)))
        .set("clusters", None, section(super::aks::clusters(&mut cx)))
        .build();
    (tree, cx.names)
}

/// What the files of the subjects share.
pub(super) struct Translation<'a> {
    pub(super) inventory: Inventory,
    pub(super) notes: &'a mut Vec<Note>,
    pub(super) findings: &'a mut Vec<Finding>,
    names: NamesByKind,
    /// Resource groups of nodes, in lower case, with the cluster.
    node_groups: BTreeMap<String, ResourceId>,
    /// Interfaces that are known to be those of private endpoints.
    pub(super) endpoint_nics: BTreeSet<ResourceId>,
    /// Subnets in which private clusters' endpoints are seen to stand, by cluster; known once the networks are written.
    pub(super) api_endpoints: BTreeMap<ResourceId, (ResourceId, Span)>,
}

impl<'a> Translation<'a> {
    fn new(
        inventory: Inventory,
        others: &NamesByKind,
        notes: &'a mut Vec<Note>,
        findings: &'a mut Vec<Finding>,
    ) -> Self {
        let mut objects: BTreeMap<Kind, Vec<(ResourceId, Arc<str>)>> = BTreeMap::new();
        for object in inventory.all() {
            // Sites behind a gateway are networks too.
            let section = match object.kind {
                Kind::LocalNetworkGateway => Kind::VirtualNetwork,
                kind => kind,
            };
            objects.entry(section).or_default().push((object.id.clone(), object.name.clone()));
        }
        let named = |kind: Kind, objects| match others.get(&kind) {
            Some(others) => Names::beside(objects, others),
            None => Names::new(objects),
        };
        let names = objects.into_iter().map(|(kind, objects)| (kind, named(kind, objects))).collect();
        let node_groups = inventory
            .of(Kind::Cluster)
            .filter_map(|cluster| Some((super::aks::node_resource_group(cluster)?, cluster.id.clone())))
            .collect();
        let endpoint_nics = super::endpoints::interfaces(&inventory);
        Translation { inventory, notes, findings, names, node_groups, endpoint_nics, api_endpoints: BTreeMap::new() }
    }

    /// The design's name of an object that has a section of its own.
    pub(super) fn name(&self, id: &ResourceId) -> Option<Arc<str>> {
        let id = self.inventory.settled(id);
        let section = match Kind::of(&id)? {
            Kind::LocalNetworkGateway => Kind::VirtualNetwork,
            kind => kind,
        };
        self.names.get(&section)?.of(&id)
    }

    /// A reference to an object by its name.
    pub(super) fn name_node(&self, reference: Option<(ResourceId, &Node)>) -> Option<Node> {
        let (id, at) = reference?;
        Some(Node::str(at.span, self.name(&id)?))
    }

    /// `NETWORK/SUBNET`.
    pub(super) fn subnet_name(&self, id: &ResourceId) -> Option<String> {
        let id = self.inventory.settled(id);
        let network = self.name(&id.parent()?)?;
        let subnet = self.inventory.get(&id).map_or_else(|| id.name().into(), |object| object.name.clone());
        Some(format!("{network}/{subnet}"))
    }

    /// A reference to a subnet.
    pub(super) fn subnet_node(&self, reference: Option<(ResourceId, &Node)>) -> Option<Node> {
        let (id, at) = reference?;
        Some(Node::str(at.span, self.subnet_name(&id)?))
    }

    /// The cluster whose nodes are in a resource group.
    pub(super) fn cluster_of_group(&self, group: &str) -> Option<&ResourceId> {
        self.node_groups.get(&group.to_ascii_lowercase())
    }

    /// Notes something that was read and has no part in the design.
    pub(super) fn not_understood(&mut self, at: Span, message: impl Into<String>) {
        self.notes.push(Note { kind: NoteKind::NotUnderstood, message: message.into(), at: Some(at) });
    }

    /// Notes something that is known to exist but not in value.
    pub(super) fn unknown(&mut self, at: Span, message: impl Into<String>) {
        self.notes.push(Note { kind: NoteKind::Unknown, message: message.into(), at: Some(at) });
    }

    /// Notes a word that is none of Azure's this program knows.
    pub(super) fn unknown_word(&mut self, what: &str, node: &Node) {
        let shown = node.text().map_or_else(|| node.type_name().to_owned(), |text| format!("`{text}`"));
        self.not_understood(node.span, format!("{what} is {shown}, which this version does not know"));
    }

    fn note_what_is_missing(&mut self) {
        let mut missing = self.unused();
        for object in self.inventory.all() {
            let kind = object.kind;
            let parts: &[&str] = match kind {
                Kind::VirtualNetwork => &["subnets", "virtualNetworkPeerings"],
                Kind::SecurityGroup => &["securityRules"],
                Kind::RouteTable => &["routes"],
                Kind::Cluster => &["agentPoolProfiles"],
                _ => &[],
            };
            for later in &object.later {
                let path = later.path.strip_prefix("properties.").unwrap_or(&later.path);
                if !parts.iter().any(|part| path.strip_prefix(part).is_some_and(|rest| rest.starts_with('.'))) {
                    missing.push((
                        later.at,
                        format!("`{}` of `{}` is not known before the change is made", path, object.name),
                    ));
                }
            }
            if !object.is_given() {
                missing.extend(self.unseen(object, kind).map(|message| (object.name_span, message)));
            }
        }
        for (at, message) in missing {
            self.unknown(at, message);
        }
    }

    /// Objects that only others give a meaning, and no other does.
    fn unused(&self) -> Vec<(Span, String)> {
        let kinds = [Kind::PublicIp, Kind::PublicIpPrefix, Kind::IpGroup];
        if kinds.iter().all(|kind| self.inventory.of(*kind).next().is_none()) {
            return Vec::new();
        }
        let mut used = References::to(&kinds);
        let entries = self.inventory.all().flat_map(|object| &object.bodies).flat_map(|body| body.entries());
        // An object's own id is no use of it.
        let others = entries.filter(|entry| !entry.key.eq_ignore_ascii_case("id"));
        others.for_each(|entry| used.collect(&entry.node));
        let used: BTreeSet<ResourceId> = used.found.into_iter().map(|(id, _)| self.inventory.settled(&id)).collect();
        let mut out = Vec::new();
        for (kind, what) in kinds.into_iter().zip(["public addresses", "public prefixes", "address groups"]) {
            let left: Vec<&Object> = self.inventory.of(kind).filter(|object| !used.contains(&object.id)).collect();
            if let Some(first) = left.first() {
                let names: Vec<String> = left.iter().take(3).map(|object| format!("`{}`", object.name)).collect();
                let more = left.len().checked_sub(names.len()).filter(|more| *more > 0);
                let more = more.map_or_else(String::new, |more| format!(" and {more} more"));
                out.push((first.name_span, format!("{what} that nothing given uses: {}{more}", names.join(", "))));
            }
        }
        out
    }

    /// What to say of an object that others refer to.
    fn unseen(&self, object: &Object, kind: Kind) -> Option<String> {
        let name = &object.name;
        let network = object.id.ancestor(Kind::VirtualNetwork.arm());
        if network.is_some_and(|network| network.group().is_none() && network.name() == super::aks::UNKNOWN_NETWORK) {
            return None;
        }
        Some(match kind {
            Kind::VirtualNetwork if self.only_through_parts(object) => return None,
            Kind::VirtualNetwork => {
                format!("the network `{name}` is referred to and was not given: give `az network vnet show`")
            }
            Kind::Subnet if self.inventory.get(&object.id.parent()?).is_some_and(Object::is_given) => {
                format!("the subnet `{name}` is referred to, but its network does not list it: its prefix is not known")
            }
            Kind::Subnet => format!("the subnet `{name}` is referred to and was not given: its prefix is not known"),
            Kind::RouteTable => {
                format!("the route table `{name}` is referred to and was not given: its routes are not known")
            }
            Kind::SecurityGroup => {
                format!("the network security group `{name}` is referred to and was not given: its rules are not known")
            }
            Kind::NatGateway => {
                format!("the NAT gateway `{name}` is referred to and was not given: its addresses are not known")
            }
            Kind::Cluster => format!("the cluster `{name}` was not given, only parts of it"),
            _ => return None,
        })
    }

    /// A network that was not given but whose subnets were says enough through them.
    fn only_through_parts(&self, object: &Object) -> bool {
        self.inventory.parts(&object.id, Kind::Subnet).any(Object::is_given)
    }
}

/// A section of the design: objects by name, sorted. `None` without objects.
pub(super) fn section(objects: Vec<(Arc<str>, Span, Node)>) -> Option<Node> {
    let mut objects = objects;
    objects.sort_by(|one, other| one.0.cmp(&other.0));
    objects.dedup_by(|one, other| one.0 == other.0);
    let span = objects.first()?.2.span;
    let entries = objects.into_iter().map(|(key, key_span, node)| Entry { key, key_span, node });
    Some(Node { span, value: Value::Map(Arc::new(entries.collect())) })
}

/// Adds the objects that are referred to and were not given, where the design must have something to refer to.
fn refer_to_the_rest(inventory: &mut Inventory) {
    let mut objects: Vec<&Object> = inventory.all().collect();
    objects.sort_by(|one, other| one.id.cmp(&other.id));
    let mut found = References::to(&REFERRED);
    for object in objects {
        // Its own id adds nothing.
        found.own = if object.id.is_open() { "" } else { object.id.as_str() };
        object.bodies.iter().for_each(|body| found.collect(body));
        found.found.extend(super::aks::unknown_subnet(inventory, object).map(|subnet| (subnet, object.name_span)));
    }
    for (id, at) in found.found {
        inventory.refer(&id, at);
    }
}

/// `/subscriptions/S/resourceGroups/G/providers/P/virtualNetworks/V/subnets/N/`
const SLASHES_OF_A_SUBNET: usize = 11;

/// `/providers/P/T/N`: no id is shorter, and the length is known without a look at the text.
const SHORTEST_ID: usize = 16;

/// Kinds of which the design must have an object where another refers to it.
const REFERRED: [Kind; 5] =
    [Kind::VirtualNetwork, Kind::Subnet, Kind::RouteTable, Kind::SecurityGroup, Kind::NatGateway];

/// References to objects of some kinds, in the order they stand; once where they are written alike.
struct References<'a> {
    wanted: &'a [Kind],
    /// The last steps of their types.
    steps: Vec<&'static str>,
    found: Vec<(ResourceId, Span)>,
    /// A text that is no reference.
    own: &'a str,
    /// Texts that add nothing when they come again. What an id stands for that leaves parts open depends on those before it.
    seen: BTreeSet<&'a str>,
}

impl<'a> References<'a> {
    fn to(wanted: &'a [Kind]) -> References<'a> {
        let steps = wanted.iter().filter_map(|kind| kind.arm().rsplit('/').next()).collect();
        References { wanted, steps, found: Vec::new(), own: "", seen: BTreeSet::new() }
    }

    /// The references in a body.
    fn collect(&mut self, node: &'a Node) {
        match &node.value {
            Value::Scalar(scalar) if scalar.text.len() >= SHORTEST_ID && scalar.text.starts_with('/') => {
                self.text(node, &scalar.text);
            }
            Value::Scalar(_) => {}
            Value::Seq(items) => items.iter().for_each(|item| self.collect(item)),
            Value::Map(entries) => {
                let own = entries.iter().filter(|entry| !entry.key.eq_ignore_ascii_case("tags"));
                own.for_each(|entry| self.collect(&entry.node));
            }
        }
    }

    fn text(&mut self, node: &Node, text: &'a str) {
        // Most ids are those of nodes' interfaces, far longer: not worth reading.
        if text == self.own || text.bytes().filter(|byte| *byte == b'/').nth(SLASHES_OF_A_SUBNET).is_some() {
            return;
        }
        let step = text.trim().trim_end_matches('/').rsplit('/').nth(1).unwrap_or_default();
        if !self.steps.iter().any(|wanted| wanted.eq_ignore_ascii_case(step)) || self.seen.contains(text) {
            return;
        }
        let Some((id, _)) = id_of(node) else { return };
        if !id.is_open() {
            self.seen.insert(text);
        }
        if Kind::of(&id).is_some_and(|kind| self.wanted.contains(&kind)) {
            self.found.push((id, node.span));
        }
    }
}
