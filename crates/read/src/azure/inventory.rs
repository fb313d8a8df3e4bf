//! All objects by id: parts taken out of their parents, what several inputs say about one object put together, and a
//! place for objects that others refer to and nobody gave.

use super::kind::Kind;
use super::resource::{KnownLater, Resource, ResourceId};
use super::value::{list, prop};
use crate::tree::{Node, Value};
use causeway_model::design::{Note, NoteKind};
use causeway_model::source::Span;
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// One object and all that was said about it.
#[derive(Debug, Clone)]
pub(super) struct Object {
    pub(super) id: ResourceId,
    pub(super) kind: Kind,
    /// As it calls itself, else as the id does.
    pub(super) name: Arc<str>,
    pub(super) name_span: Span,
    /// What was said, in the order it was given. Empty for objects that were only referred to.
    pub(super) bodies: Vec<Node>,
    pub(super) later: Vec<KnownLater>,
}

impl Object {
    /// The first value under a key that any body has.
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        self.bodies.iter().find_map(|body| prop(body, key))
    }

    /// A value several steps down: the first body that has it.
    pub(super) fn path(&self, keys: &[&str]) -> Option<&Node> {
        self.bodies.iter().find_map(|body| super::value::path(body, keys))
    }

    /// What `read` makes of the first body it can make something of.
    pub(super) fn first<'a, T>(&'a self, read: impl Fn(&'a Node) -> Option<T>) -> Option<T> {
        self.bodies.iter().find_map(read)
    }

    /// The items of a list: of the first body in which it is not empty.
    pub(super) fn all(&self, key: &str) -> Vec<&Node> {
        self.bodies.iter().map(|body| list(body, key)).find(|items| !items.is_empty()).unwrap_or_default()
    }

    /// It was given, not only referred to.
    pub(super) fn is_given(&self) -> bool {
        !self.bodies.is_empty()
    }

    /// A value of that name is known later.
    pub(super) fn is_later(&self, key: &str) -> bool {
        self.later.iter().any(|later| {
            let mut steps = later.path.split('.').filter(|step| !step.eq_ignore_ascii_case("properties"));
            steps.any(|step| step.eq_ignore_ascii_case(key))
        })
    }

    pub(super) fn span(&self) -> Span {
        self.bodies.first().map_or(self.name_span, |body| body.span)
    }

    fn new(id: &ResourceId, kind: Kind, name: Arc<str>, name_span: Span) -> Object {
        Object { id: id.clone(), kind, name, name_span, bodies: Vec::new(), later: Vec::new() }
    }
}

/// All objects by kind and id.
#[derive(Debug, Default)]
pub(super) struct Inventory {
    objects: BTreeMap<Kind, BTreeMap<ResourceId, Object>>,
    /// Ids by what follows the provider: those among which an id with open parts finds its own. Most inputs leave nothing open and
    /// never ask.
    tails: OnceCell<BTreeMap<String, BTreeSet<ResourceId>>>,
}

/// Lists in which an object keeps its parts.
const PARTS: &[(Kind, &str, &str)] = &[
    (Kind::VirtualNetwork, "subnets", "subnets"),
    (Kind::VirtualNetwork, "virtualNetworkPeerings", "virtualNetworkPeerings"),
    (Kind::SecurityGroup, "securityRules", "securityRules"),
    (Kind::RouteTable, "routes", "routes"),
    (Kind::Cluster, "agentPoolProfiles", "agentPools"),
];

/// What an object without a name of its own, or without its parent, is put under when there is not exactly one candidate.
fn fallback(kind: Kind) -> &'static str {
    match kind {
        Kind::Cluster => "cluster",
        Kind::VirtualNetwork => "network",
        Kind::SecurityGroup => "security-group",
        Kind::RouteTable => "route-table",
        Kind::FirewallPolicy => "firewall-policy",
        Kind::PrivateDnsZone => "zone",
        Kind::TrafficController => "traffic-controller",
        _ => "unnamed",
    }
}

impl Inventory {
    /// Puts resources in their places. What has no use here is noted, object by object.
    pub(super) fn new(resources: Vec<Resource>, notes: &mut Vec<Note>) -> Inventory {
        let mut inventory = Inventory::default();
        let (mut placed, mut homeless) = (Vec::new(), Vec::new());
        for resource in resources {
            let id = resource.id.clone().or_else(|| id_below(resource.parent.as_ref()?, &resource));
            let kind = Kind::of_type(id.as_ref().map_or(&resource.kind, ResourceId::kind));
            match (kind, id) {
                (None, _) => notes.push(foreign(&resource)),
                (Some(_), Some(id)) => placed.push((id, resource)),
                (Some(kind), None) => homeless.push((kind, resource)),
            }
        }
        // Ids with parts left unsaid come last: they are taken for the full ids they fit.
        placed.sort_by_key(|(id, _)| id.is_open());
        for (id, resource) in placed {
            inventory.place(&inventory.settled(&id), resource, notes);
        }
        inventory.add_wholes();
        // Whole objects without an id before parts without a parent, which may belong to them.
        homeless.sort_by_key(|(kind, resource)| (kind.arm().split('/').count(), resource.name.is_empty()));
        for (kind, resource) in homeless {
            match inventory.home(kind, &resource) {
                Some(id) => inventory.place(&id, resource, notes),
                None => notes.push(foreign(&resource)),
            }
        }
        inventory.add_wholes();
        inventory
    }

    /// Adds what the objects are parts of, where it was not given.
    fn add_wholes(&mut self) {
        let mut parents: Vec<(ResourceId, Span)> = Vec::new();
        let mut last = None;
        for object in self.all() {
            // Parts of one whole stand together. What an id stands for that leaves parts open depends on those before it.
            let above = object.id.above();
            if above != last || object.id.is_open() {
                parents.extend(object.id.parent().map(|parent| (parent, object.name_span)));
                last = above;
            }
        }
        for (parent, at) in parents {
            self.refer(&parent, at);
        }
    }

    /// The object of an id.
    pub(super) fn get(&self, id: &ResourceId) -> Option<&Object> {
        let exact = |id: &ResourceId| self.objects.get(&Kind::of(id)?)?.get(id);
        exact(id).or_else(|| exact(&self.settled(id)))
    }

    fn has(&self, id: &ResourceId) -> bool {
        Kind::of(id).and_then(|kind| self.objects.get(&kind)).is_some_and(|objects| objects.contains_key(id))
    }

    /// The objects of a kind, by id.
    pub(super) fn of(&self, kind: Kind) -> impl Iterator<Item = &Object> {
        self.objects.get(&kind).into_iter().flat_map(BTreeMap::values)
    }

    /// Every object, by kind and id.
    pub(super) fn all(&self) -> impl Iterator<Item = &Object> {
        self.objects.values().flat_map(BTreeMap::values)
    }

    /// The parts of that kind of one object, by id.
    pub(super) fn parts<'a>(&'a self, parent: &'a ResourceId, kind: Kind) -> impl Iterator<Item = &'a Object> {
        // Ids of parts start with the id of the whole, so they stand together.
        let objects = self.objects.get(&kind).into_iter().flat_map(move |objects| objects.range(parent.clone()..));
        objects
            .map(|(_, object)| object)
            .take_while(|object| object.id.key().starts_with(parent.key()))
            .filter(move |object| object.id.is_part_of(parent))
    }

    /// Adds an object that was only referred to, with everything it is a part of. Ids of kinds that are not known are
    /// left alone.
    pub(super) fn refer(&mut self, id: &ResourceId, at: Span) {
        let id = self.settled(id);
        let Some(kind) = Kind::of(&id) else { return };
        if let Some(parent) = id.parent() {
            self.refer(&parent, at);
        }
        self.remember(&id);
        let objects = self.objects.entry(kind).or_default();
        let object = objects.entry(id.clone()).or_insert_with(|| Object::new(&id, kind, id.name().into(), at));
        // Azure writes some ids in capitals only: the other spelling is the object's name, whoever comes first.
        if !object.is_given() && id.name() > object.name.as_ref() {
            object.name = id.name().into();
        }
    }

    /// The id under which an object is kept: its own, or where it leaves subscription or group open, the only one that fits.
    pub(super) fn settled(&self, id: &ResourceId) -> ResourceId {
        if !id.is_open() || self.has(id) {
            return id.clone();
        }
        let fits = |other: &&ResourceId| {
            let same = |one: Option<&str>, other: Option<&str>| match (one, other) {
                (Some(one), Some(other)) => one.eq_ignore_ascii_case(other),
                _ => true,
            };
            same(id.subscription(), other.subscription()) && same(id.group(), other.group())
        };
        let mut fitting = self.tails().get(id.tail()).into_iter().flatten().filter(fits);
        match (fitting.next(), fitting.next()) {
            (Some(only), None) => only.clone(),
            // A new part of a whole that is known.
            (None, _) => self.settled_below(id).unwrap_or_else(|| id.clone()),
            _ => id.clone(),
        }
    }

    fn tails(&self) -> &BTreeMap<String, BTreeSet<ResourceId>> {
        self.tails.get_or_init(|| {
            let mut tails = BTreeMap::new();
            for id in self.objects.values().flat_map(BTreeMap::keys) {
                add(&mut tails, id);
            }
            tails
        })
    }

    fn remember(&mut self, id: &ResourceId) {
        if let Some(tails) = self.tails.get_mut() {
            add(tails, id);
        }
    }

    fn settled_below(&self, id: &ResourceId) -> Option<ResourceId> {
        let (_, step) = id.kind().rsplit_once('/')?;
        let parent = id.parent()?;
        let whole = self.settled(&parent);
        if whole == parent { None } else { whole.child(step, id.name()) }
    }

    fn place(&mut self, id: &ResourceId, resource: Resource, notes: &mut Vec<Note>) {
        let Some(kind) = Kind::of(id) else { return notes.push(foreign(&resource)) };
        let parts = parts_of(id, &resource, notes);
        let name = || if resource.name.is_empty() { id.name().into() } else { resource.name.clone() };
        self.remember(id);
        let objects = self.objects.entry(kind).or_default();
        let object = objects.entry(id.clone()).or_insert_with(|| Object::new(id, kind, name(), resource.name_span));
        object.bodies.push(resource.body);
        object.later.extend(resource.later);
        for (id, part) in parts {
            self.place(&id, part, notes);
        }
    }

    /// Where an object without an id belongs: a whole under its name, a part under the only whole there is.
    fn home(&self, kind: Kind, resource: &Resource) -> Option<ResourceId> {
        let arm = kind.arm();
        let steps = arm.split('/').count().saturating_sub(1);
        if steps == 1 {
            if !resource.name.is_empty() {
                return ResourceId::new(None, None, arm, &[&resource.name]);
            }
            return match self.only(kind) {
                Some(only) if !says_the_same(only, &resource.body) => Some(only.id.clone()),
                _ => self.free(arm, fallback(kind)),
            };
        }
        let (above, step) = arm.rsplit_once('/')?;
        let above = Kind::of_type(above)?;
        let parent = match self.only(above) {
            Some(only) => only.id.clone(),
            None => ResourceId::new(None, None, above.arm(), &[fallback(above)])?,
        };
        if resource.name.is_empty() { self.free_below(&parent, step) } else { parent.child(step, &resource.name) }
    }

    fn only(&self, kind: Kind) -> Option<&Object> {
        let mut all = self.of(kind);
        let first = all.next()?;
        all.next().is_none().then_some(first)
    }

    fn free(&self, arm: &str, name: &str) -> Option<ResourceId> {
        numbered(name).filter_map(|name| ResourceId::new(None, None, arm, &[&name])).find(|id| !self.has(id))
    }

    fn free_below(&self, parent: &ResourceId, step: &str) -> Option<ResourceId> {
        numbered("unnamed").filter_map(|name| parent.child(step, &name)).find(|id| !self.has(id))
    }
}

fn add(tails: &mut BTreeMap<String, BTreeSet<ResourceId>>, id: &ResourceId) {
    match tails.get_mut(id.tail()) {
        Some(ids) if ids.contains(id) => {}
        Some(ids) => {
            ids.insert(id.clone());
        }
        None => {
            tails.insert(id.tail().to_owned(), BTreeSet::from([id.clone()]));
        }
    }
}

fn numbered(name: &str) -> impl Iterator<Item = String> {
    std::iter::once(name.to_owned()).chain((2..).map(move |number| format!("{name}-{number}")))
}

/// A nameless part joins the only whole unless that says it already.
fn says_the_same(object: &Object, body: &Node) -> bool {
    body.entries().iter().any(|entry| object.get(&entry.key).is_some())
}

fn id_below(parent: &ResourceId, resource: &Resource) -> Option<ResourceId> {
    let (_, step) = resource.kind.rsplit_once('/')?;
    parent.child(step, &resource.name)
}

fn foreign(resource: &Resource) -> Note {
    let name = if resource.name.is_empty() { "an object" } else { &resource.name };
    Note {
        kind: NoteKind::NotUnderstood,
        message: format!("`{name}` of type `{}` has no part in the design", resource.kind),
        at: Some(resource.name_span),
    }
}

/// The parts an object has in it, as resources of their own.
fn parts_of(id: &ResourceId, resource: &Resource, notes: &mut Vec<Note>) -> Vec<(ResourceId, Resource)> {
    let mut out = Vec::new();
    for (whole, key, step) in PARTS {
        if Kind::of(id) != Some(*whole) {
            continue;
        }
        for (at, item) in list(&resource.body, key).into_iter().enumerate() {
            if !matches!(item.value, Value::Map(_)) {
                notes.push(Note {
                    kind: NoteKind::NotUnderstood,
                    message: format!("`{key}` of `{}` has {} where an object belongs", id.name(), item.type_name()),
                    at: Some(item.span),
                });
                continue;
            }
            let own = item.get_ci("id").and_then(Node::text).and_then(ResourceId::parse);
            let own = own.filter(|own| own.is_part_of(id) && Kind::of(own).is_some());
            let named = item.get_ci("name").filter(|name| name.text().is_some_and(|text| !text.is_empty()));
            let name: Arc<str> = match (named.and_then(Node::text), &own) {
                (Some(name), _) => name.into(),
                (None, Some(own)) => own.name().into(),
                (None, None) => format!("{}-{}", step.trim_end_matches('s'), at + 1).into(),
            };
            let Some(own) = own.or_else(|| id.child(step, &name)) else { continue };
            let prefix = format!("{key}.{at}.");
            let later = resource.later.iter().filter_map(|later| {
                let path = later.path.strip_prefix("properties.").unwrap_or(&later.path);
                let path = path.strip_prefix(&prefix)?;
                Some(KnownLater { path: path.to_owned(), at: later.at })
            });
            let part = Resource {
                kind: own.kind().to_owned(),
                id: Some(own.clone()),
                name,
                name_span: named.map_or(item.span, |name| name.span),
                parent: Some(id.clone()),
                body: item.clone(),
                later: later.collect(),
            };
            out.push((own, part));
        }
    }
    out
}
