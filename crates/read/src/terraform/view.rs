//! Reading values of an object: what is known, what is known later, and what must not be shown.

use super::Undescribed;
use super::body::Body;
use super::ids::{self, Ids, arm_of};
use super::network::{NETWORK, SUBNET};
use super::plan::Instance;
use super::world::{Block, Configured, Inner, World};
use crate::azure::{Resource, ResourceId};
use crate::tree::{Node, Value};
use causeway_model::design::{Note, NoteKind};
use causeway_model::source::{Sources, Span};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What the translators of types share.
pub(super) struct Cx<'w, 'a> {
    pub(super) world: &'w World<'a>,
    pub(super) ids: &'w Ids,
    pub(super) sources: &'w Sources,
    pub(super) notes: &'w mut Vec<Note>,
    /// Ids, in lower case, of what is an object of its own in the configuration, now or after the change. What a whole
    /// lists among its parts besides is older than those.
    pub(super) own: &'w BTreeSet<String>,
    pub(super) out: Vec<Resource>,
    /// What was concluded and not read, to be said.
    pub(super) concluded: RefCell<BTreeSet<(Span, String)>>,
    /// Parts of bodies that several objects of the configuration say together, by the object they are of.
    pub(super) gathered: BTreeMap<(ResourceId, &'static str), Vec<Node>>,
    /// Clusters of which nothing is known.
    pub(super) undescribed: Vec<Undescribed>,
}

/// A place in the values of an object: the object itself or one of its blocks.
#[derive(Debug, Clone)]
pub(super) struct View<'a> {
    pub(super) instance: usize,
    pub(super) at: Span,
    data: bool,
    fresh: bool,
    value: Option<&'a Node>,
    unknown: Option<&'a Node>,
    sensitive: Option<&'a Node>,
    path: Vec<Inner>,
}

/// A value of an object.
#[derive(Debug, Clone, Copy)]
pub(super) enum Got<'a> {
    /// It is not set, or left to the platform.
    Absent,
    Known(&'a Node),
    /// It is known after apply; where the plan says so.
    Later(Span),
}

impl<'a> View<'a> {
    pub(super) fn of(instance: &Instance<'a>, at: usize) -> Self {
        View {
            instance: at,
            at: instance.values.map_or(instance.at, |values| values.span),
            data: instance.data,
            fresh: instance.fresh,
            value: instance.values,
            unknown: instance.unknown,
            sensitive: instance.sensitive,
            path: Vec::new(),
        }
    }

    /// Where the value of an attribute stands, known or not.
    pub(super) fn span(&self) -> Span {
        self.value.map_or(self.at, |value| value.span)
    }

    /// This plan makes the object.
    pub(super) fn is_fresh(&self) -> bool {
        self.fresh
    }

    pub(super) fn is_data(&self) -> bool {
        self.data
    }

    fn step(&self, name: &'static str) -> View<'a> {
        let inside = |node: Option<&'a Node>| match node {
            Some(node) if is_true(node) => Some(node),
            Some(node) => node.get(name),
            None => None,
        };
        let mut path = self.path.clone();
        path.push(Inner::Name(name));
        View {
            value: self.value.and_then(|value| value.get(name)).filter(|value| !value.is_null()),
            unknown: inside(self.unknown),
            sensitive: inside(self.sensitive),
            path,
            ..self.clone()
        }
    }

    fn item(&self, at: usize) -> View<'a> {
        let inside = |node: Option<&'a Node>| match node {
            Some(node) if is_true(node) => Some(node),
            Some(node) => node.items().get(at),
            None => None,
        };
        let value = self.value.and_then(|value| value.items().get(at)).filter(|value| !value.is_null());
        let name = value.and_then(|value| value.get("name")).and_then(Node::text).map(Into::into);
        let mut path = self.path.clone();
        path.push(Inner::Item(at, name));
        View { value, unknown: inside(self.unknown), sensitive: inside(self.sensitive), path, ..self.clone() }
    }

    /// The blocks of a name. A block that is not a list stands for itself.
    pub(super) fn blocks(&self, name: &'static str) -> Vec<View<'a>> {
        let list = self.step(name);
        let count = |node: Option<&Node>| node.and_then(Node::as_seq).map_or(0, <[Node]>::len);
        let items = count(list.value).max(count(list.unknown));
        match list.value.map(|value| &value.value) {
            Some(Value::Map(_)) => vec![list],
            _ => (0..items).map(|at| list.item(at)).collect(),
        }
    }

    /// The only block of a name, or the first.
    pub(super) fn block(&self, name: &'static str) -> Option<View<'a>> {
        self.blocks(name).into_iter().next()
    }

    /// A mapping itself, as `labels`.
    pub(super) fn node(&self, name: &'static str) -> Option<&'a Node> {
        let view = self.step(name);
        view.value.filter(|_| view.sensitive.is_none_or(|marks| !has_true(marks)))
    }

    /// A value whatever is marked in it.
    pub(super) fn whole(&self, name: &'static str) -> Option<&'a Node> {
        self.step(name).value
    }

    /// What is marked in a value as not known or not to be shown.
    pub(super) fn marks(&self, name: &'static str) -> Vec<&'a Node> {
        let inner = self.step(name);
        inner.unknown.into_iter().chain(inner.sensitive).collect()
    }

    fn later(&self) -> Option<Span> {
        let unknown = self.unknown.filter(|marks| has_true(marks));
        let hidden = self.sensitive.filter(|marks| has_true(marks));
        unknown.or(hidden).map(|marks| marks.span)
    }
}

/// Empty text is how the provider says that there is no value.
pub(super) fn is_empty(node: &Node) -> bool {
    node.text().is_some_and(|text| text.trim().is_empty())
}

fn is_true(node: &Node) -> bool {
    node.as_bool_12() == Some(true)
}

fn has_true(node: &Node) -> bool {
    match &node.value {
        Value::Scalar(_) => is_true(node),
        Value::Seq(items) => items.iter().any(has_true),
        Value::Map(entries) => entries.iter().any(|entry| has_true(&entry.node)),
    }
}

impl<'w, 'a> Cx<'w, 'a> {
    /// A value that people set or leave to the platform: where nothing in the configuration sets it, what the platform takes
    /// is no more of an unknown than in a design that leaves it out.
    pub(super) fn get(&self, view: &View<'a>, name: &'static str) -> Got<'a> {
        self.read(view, name, true)
    }

    /// A value that only the platform knows.
    pub(super) fn output(&self, view: &View<'a>, name: &'static str) -> Got<'a> {
        self.read(view, name, false)
    }

    fn read(&self, view: &View<'a>, name: &'static str, is_setting: bool) -> Got<'a> {
        let view = view.step(name);
        let hidden = view.sensitive.is_some_and(has_true);
        if let Some(value) = view.value.filter(|value| !hidden && !is_empty(value)) {
            return Got::Known(value);
        }
        if let (true, Some(_), Some(who)) = (hidden, view.value, self.world.get(view.instance)) {
            let message = format!("`{name}` of `{}` is sensitive: it is not read", who.address);
            self.concluded.borrow_mut().insert((who.at, message));
        }
        let left_to_the_platform = || is_setting && !view.data && matches!(self.configured(&view), Configured::Not);
        match view.later() {
            Some(_) if !hidden && left_to_the_platform() => Got::Absent,
            Some(_) if hidden && view.value.is_none() && view.unknown.is_none() => Got::Absent,
            Some(at) => Got::Later(at),
            None => Got::Absent,
        }
    }

    fn configured(&self, view: &View<'a>) -> Configured<'a> {
        match self.world.get(view.instance) {
            Some(instance) => self.world.configured(&Block::of(instance), &view.path),
            None => Configured::Unclear,
        }
    }

    /// A boolean that is known and true.
    pub(super) fn is_on(&self, view: &View<'a>, name: &'static str) -> Option<&'a Node> {
        match self.get(view, name) {
            Got::Known(node) if is_true(node) || node.text() == Some("true") => Some(node),
            _ => None,
        }
    }

    /// The ids an attribute has, one or several, and where one is not known.
    pub(super) fn references(&self, view: &View<'a>, name: &'static str, arm: &str) -> (Vec<Node>, Option<Span>) {
        let inner = view.step(name);
        let mut missing = None;
        let mut out = Vec::new();
        match self.get(view, name) {
            Got::Absent => {}
            Got::Later(at) => match self.targets(&inner, arm, true) {
                targets if targets.is_empty() => missing = Some(at),
                targets => out = ids_at(&targets, at),
            },
            Got::Known(node) if node.as_seq().is_none() => out.push(node.clone()),
            Got::Known(node) => {
                let known = node.items().iter().filter(|item| !item.is_null() && !is_empty(item));
                out.extend(known.cloned());
                let unknown = inner.unknown.map_or(&[][..], Node::items).iter().filter(|mark| has_true(mark)).count();
                if unknown > 0 {
                    let at = inner.later().unwrap_or(node.span);
                    let targets = self.targets(&inner, arm, true);
                    if targets.len() == unknown { out.extend(ids_at(&targets, at)) } else { missing = Some(at) }
                }
            }
        }
        (out, missing)
    }

    /// The one id an attribute has; `Err` is where it is not known.
    pub(super) fn reference(&self, view: &View<'a>, name: &'static str, arm: &str) -> Result<Option<Node>, Span> {
        let (mut ids, missing) = self.references(view, name, arm);
        match (ids.pop(), missing) {
            (_, Some(at)) => Err(at),
            (Some(id), None) if ids.is_empty() => Ok(Some(id)),
            // The expression leads to several objects, and only one of them is meant.
            (Some(id), None) => Err(id.span),
            (None, None) => Ok(None),
        }
    }

    /// The id that a write-only attribute sets: its value is never in a plan, only where it comes from.
    pub(super) fn written_only(&self, view: &View<'a>, name: &'static str, arm: &str) -> Option<Result<Node, Span>> {
        let inner = view.step(name);
        let Configured::By(expressions) = self.configured(&inner) else { return None };
        let [expression] = expressions.as_slice() else { return None };
        if let Some(constant) = expression.get("constant_value") {
            return (!constant.is_null() && !is_empty(constant)).then(|| Ok(constant.clone()));
        }
        let targets = self.targets(&inner, arm, false);
        Some(match targets.as_slice() {
            [only] => Ok(Node::str(expression.span, only.as_str())),
            _ => Err(expression.span),
        })
    }

    /// The ids of the objects of a type that an attribute's expression leads to. A value that is not known can only come
    /// from objects whose ids are not known.
    fn targets(&self, view: &View<'a>, arm: &str, only_unknown: bool) -> Vec<ResourceId> {
        let (targets, hidden) = ids::way(self.world, view.instance, &view.path);
        let mut found: Vec<ResourceId> = targets
            .iter()
            .copied()
            .filter(|at| self.may_be(*at, arm, only_unknown))
            .filter_map(|at| self.ids.get(at).cloned())
            .collect();
        if found.is_empty() && arm == SUBNET {
            found.extend(targets.iter().filter_map(|at| self.only_inline_subnet(*at)));
        }
        if let (true, Some(keys)) = (found.is_empty() && only_unknown, hidden) {
            found.extend(self.inferred(view, arm, &keys));
        }
        found.sort();
        found.dedup();
        found
    }

    fn may_be(&self, at: usize, arm: &str, only_unknown: bool) -> bool {
        let Some(instance) = self.world.get(at) else { return false };
        let of_type = arm_of(instance).is_some_and(|own| own.eq_ignore_ascii_case(arm));
        of_type && (!only_unknown || ids::known(instance, "id").is_none())
    }

    /// The subnet that stands in a network of the plan, where there is only one.
    fn only_inline_subnet(&self, at: usize) -> Option<ResourceId> {
        let subnets = self.world.get(at).filter(|_| self.may_be(at, NETWORK, true))?.values?.get("subnet")?;
        let [only] = subnets.items() else { return None };
        self.ids.get(at)?.child("subnets", only.get("name")?.text()?)
    }

    /// The object at the end of a way that a plan does not show: of all objects it can be, the only one, or the only one that
    /// is called as was asked for on the way. That is said.
    fn inferred(&self, view: &View<'a>, arm: &str, keys: &BTreeSet<String>) -> Option<ResourceId> {
        let all: Vec<usize> = (0..self.world.instances.len()).filter(|at| self.may_be(*at, arm, true)).collect();
        let is_called = |at: &usize| {
            self.world.get(*at).is_some_and(|instance| {
                keys.iter()
                    .any(|key| instance.key.as_ref().is_some_and(|own| own.is(key)) || ids::name(instance) == *key)
            })
        };
        let called: Vec<usize> = all.iter().copied().filter(is_called).collect();
        let [only] = (if called.is_empty() { &all } else { &called }).as_slice() else { return None };
        let (found, who) = (self.world.get(*only)?, self.world.get(view.instance)?);
        let attribute = view.path.iter().rev().find_map(|step| match step {
            Inner::Name(name) => Some(*name),
            Inner::Item(..) => None,
        });
        let why = if called.is_empty() { "the only one there is" } else { "by its name" };
        let message = ids::taken_for(attribute.unwrap_or_default(), who, found, why);
        self.concluded.borrow_mut().insert((who.at, message));
        self.ids.get(*only).cloned()
    }

    /// The ids of what is made by the plan, of one type, that an attribute's expression leads to.
    pub(super) fn targets_of(&self, view: &View<'a>, name: &'static str, arm: &str) -> Vec<ResourceId> {
        self.targets(&view.step(name), arm, true)
    }

    /// The object of a type that an attribute has the name of, in the resource group of the object that names it.
    pub(super) fn by_name(&self, view: &View<'a>, name: &'static str, arm: &str) -> Option<(ResourceId, Span)> {
        let known = match self.get(view, name) {
            Got::Known(node) => node,
            Got::Later(at) => {
                let mut found = self.targets_of(view, name, arm);
                return (found.len() == 1).then(|| found.pop()).flatten().map(|id| (id, at));
            }
            Got::Absent => return None,
        };
        let text = known.text()?;
        let group = self.world.get(view.instance).and_then(|instance| ids::known(instance, "resource_group_name"));
        let fits = |id: &&ResourceId| {
            id.kind().eq_ignore_ascii_case(arm)
                && id.name().eq_ignore_ascii_case(text)
                && match (group, id.group()) {
                    (Some(one), Some(other)) => one.eq_ignore_ascii_case(other),
                    _ => true,
                }
        };
        let found = self.ids.all().find(fits).cloned();
        let id = found.or_else(|| ResourceId::new(None, group, arm, &[&text.replace('/', "-")]))?;
        Some((id, known.span))
    }

    pub(super) fn id(&self, view: &View<'a>) -> Option<&'w ResourceId> {
        self.ids.get(view.instance)
    }

    /// The address of an object, for messages.
    pub(super) fn address(&self, view: &View<'a>) -> Arc<str> {
        self.world.get(view.instance).map_or_else(|| "".into(), |instance| instance.address.clone())
    }

    pub(super) fn unknown(&mut self, at: Span, message: impl Into<String>) {
        self.notes.push(Note { kind: NoteKind::Unknown, message: message.into(), at: Some(at) });
    }

    pub(super) fn not_understood(&mut self, at: Span, message: impl Into<String>) {
        self.notes.push(Note { kind: NoteKind::NotUnderstood, message: message.into(), at: Some(at) });
    }

    /// Whether the part of an object is an object of the configuration itself.
    pub(super) fn is_own(&self, id: &ResourceId) -> bool {
        self.own.contains(id.key())
    }

    /// An object of the design.
    pub(super) fn push(&mut self, view: &View<'a>, mut body: Body) {
        let Some(instance) = self.world.get(view.instance) else { return };
        let Some(arm) = arm_of(instance) else { return };
        let stated = instance.values.and_then(|values| values.get("name")).filter(|name| !name.is_null());
        if stated.is_none_or(is_empty)
            && let Some(mark) = instance.unknown.and_then(|unknown| unknown.get("name"))
        {
            body.later("name", mark.span);
        }
        self.out.push(Resource {
            kind: arm.to_ascii_lowercase(),
            id: self.ids.get(view.instance).cloned(),
            name: ids::name(instance).into(),
            name_span: stated.map_or(instance.at, |name| name.span),
            parent: None,
            later: body.take_later(),
            body: body.build(),
        });
    }

    /// Notes an object that is there and of which nothing is known. Only a cluster is missed: everything is judged of clusters.
    pub(super) fn push_undescribed(&mut self, view: &View<'a>) {
        let Some(instance) = self.world.get(view.instance) else { return };
        if arm_of(instance).is_some_and(|arm| arm.eq_ignore_ascii_case(crate::azure::CLUSTER)) {
            let id = self.ids.get(view.instance).cloned();
            self.undescribed.push(Undescribed { name: ids::name(instance).into(), id, at: instance.at });
        }
    }

    /// Says a part of an object that stands elsewhere: `None` where the object is not known.
    pub(super) fn say_of(&mut self, id: ResourceId, at: Span, mut body: Body) {
        self.out.push(Resource {
            kind: id.kind().to_owned(),
            name: id.name().into(),
            name_span: at,
            parent: None,
            later: body.take_later(),
            body: body.build(),
            id: Some(id),
        });
    }
}

fn ids_at(ids: &[ResourceId], at: Span) -> Vec<Node> {
    ids.iter().map(|id| Node::str(at, id.as_str())).collect()
}
