//! The objects of a plan or a state: those there will be, and those there are.
//!
//! A plan says the first under `planned_values` (what is not known before apply is left out there and marked in
//! `resource_changes`), the second in the changes themselves; what it does not touch, and data sources that could be read,
//! stand in `prior_state`. Format versions 0.1 to 1.2 have the same keys.

use super::address::{Key, ModulePath, module_path};
use crate::tree::Node;
use causeway_model::design::{Note, NoteKind};
use causeway_model::source::Span;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// One object: a resource or a data source, one for each of its keys.
#[derive(Debug, Clone)]
pub(super) struct Instance<'a> {
    /// `module.net.azurerm_subnet.this["nodes"]`.
    pub(super) address: Arc<str>,
    pub(super) module: ModulePath,
    /// A data source: it reads what somebody else made.
    pub(super) data: bool,
    /// The type, as `azurerm_subnet`.
    pub(super) kind: Arc<str>,
    /// Its name in the configuration.
    pub(super) name: Arc<str>,
    pub(super) key: Option<Key>,
    pub(super) values: Option<&'a Node>,
    /// The same shape with `true` where a value is known after apply only.
    pub(super) unknown: Option<&'a Node>,
    /// The same shape with `true` where a value must not be shown.
    pub(super) sensitive: Option<&'a Node>,
    /// Where the address is written.
    pub(super) at: Span,
    /// This plan makes it.
    pub(super) fresh: bool,
}

/// What a plan or a state holds.
#[derive(Debug, Default)]
pub(super) struct Plan<'a> {
    pub(super) after: Vec<Instance<'a>>,
    /// `None` for a state, and for a plan that changes nothing.
    pub(super) before: Option<Vec<Instance<'a>>>,
    /// Ids of objects that exist and are changed or removed.
    pub(super) changed: BTreeSet<String>,
    /// Ids of objects of which one value changes, because what sets it is an object of its own; with the value's name.
    pub(super) touched: BTreeSet<(String, &'static str)>,
    /// Modules as they are configured, for what values don't say.
    pub(super) configuration: Option<&'a Node>,
    /// Values of the root module's variables.
    pub(super) variables: Option<&'a Node>,
}

/// Reads a document of `terraform show -json`.
pub(super) fn read<'a>(document: &'a Node, notes: &mut Vec<Note>) -> Plan<'a> {
    say_what_is_strange(document, notes);
    let state = modules(document.get("values"));
    let planned = modules(document.get("planned_values"));
    let prior = modules(document.get("prior_state").and_then(|state| state.get("values")));
    let changes = Changes::of(document);
    let mut after = Vec::new();
    let mut seen = BTreeSet::new();
    for mut instance in planned.into_iter().chain(state) {
        if let Some(change) = changes.by_address.get(instance.address.as_ref()) {
            instance.unknown = change.inner.get("after_unknown");
            instance.sensitive = change.inner.get("after_sensitive").or(instance.sensitive);
            instance.fresh = change.does("create");
        }
        seen.insert(instance.address.clone());
        after.push(instance);
    }
    for change in changes.by_address.values() {
        let stays = change.does("forget") || !change.does("delete") || change.does("create");
        if !seen.contains(&change.address) && stays {
            let forgotten = change.does("forget") && change.value("after").is_none();
            after.extend(change.instance(if forgotten { "before" } else { "after" }));
        }
    }
    let untouched = |instance: &&Instance| {
        let address = instance.address.as_ref();
        !changes.by_address.contains_key(address) && !changes.moved_from.contains(address)
    };
    // Without the changes nobody knows whether an object that was there stays.
    let stays = |instance: &&Instance| !seen.contains(&instance.address) && (changes.given || instance.data);
    after.extend(prior.iter().filter(untouched).filter(stays).cloned());
    let before = changes.by_address.values().any(Change::changes_something).then(|| {
        let mut before: Vec<Instance> = changes
            .by_address
            .values()
            .filter(|change| change.was_there())
            .filter_map(|c| c.instance("before"))
            .collect();
        let known: BTreeSet<Arc<str>> = before.iter().map(|instance| instance.address.clone()).collect();
        let new = |address: &str| changes.by_address.get(address).is_some_and(|change| !change.data);
        let rest = prior.iter().filter(|old| !known.contains(&old.address) && !new(&old.address));
        before.extend(rest.filter(|old| !changes.moved_from.contains(old.address.as_ref())).cloned());
        before
    });
    let (mut changed, mut touched) = (BTreeSet::new(), BTreeSet::new());
    for change in changes.by_address.values().filter(|change| change.changes_something()) {
        match change.association() {
            Some((of, key)) => {
                let sides = ["before", "after"].iter().filter_map(|side| change.value(side)?.get(of)?.text());
                touched.extend(sides.map(|id| (id.to_ascii_lowercase(), key)));
            }
            None => changed
                .extend(change.value("before").and_then(|before| Some(before.get("id")?.text()?.to_ascii_lowercase()))),
        }
    }
    Plan {
        after,
        before,
        changed,
        touched,
        configuration: document.get("configuration").and_then(|configuration| configuration.get("root_module")),
        variables: document.get("variables"),
    }
}

fn say_what_is_strange(document: &Node, notes: &mut Vec<Note>) {
    let mut note = |kind: NoteKind, at: &Node, message: String| {
        notes.push(Note { kind, message, at: Some(at.span) });
    };
    if let Some(version) = document.get("format_version") {
        let major = version.text().and_then(|text| text.split('.').next()).unwrap_or_default();
        if !matches!(major, "0" | "1") {
            let text = version.text().unwrap_or_default().to_owned();
            note(
                NoteKind::NotUnderstood,
                version,
                format!("the plan has the format `{text}`, this program knows 0.1 to 1.2: it is read as 1.2"),
            );
        }
    }
    if let Some(errored) = document.get("errored").filter(|node| node.as_bool_12() == Some(true)) {
        note(
            NoteKind::Unknown,
            errored,
            "the plan failed half way: what it holds is not all that would be changed".to_owned(),
        );
    }
    let deferred = document.get("deferred_changes").map_or(&[][..], Node::items);
    if let Some(first) = deferred.first() {
        note(
            NoteKind::Unknown,
            first,
            format!("{} changes are put off to a later plan: they are not in the design", deferred.len()),
        );
    }
}

/// The objects of a module and of those below it.
fn modules(values: Option<&Node>) -> Vec<Instance<'_>> {
    let mut out = Vec::new();
    if let Some(root) = values.and_then(|values| values.get("root_module")) {
        module(root, &mut out);
    }
    out
}

fn module<'a>(node: &'a Node, out: &mut Vec<Instance<'a>>) {
    let address = node.get("address").and_then(Node::text).unwrap_or_default();
    for resource in node.get("resources").map_or(&[][..], Node::items) {
        // What is left of an object that was replaced, and still has to be removed.
        if resource.get("deposed_key").is_some_and(|key| !key.is_null()) {
            continue;
        }
        out.extend(instance(resource, address, resource.get("values"), resource.get("sensitive_values")));
    }
    for child in node.get("child_modules").map_or(&[][..], Node::items) {
        module(child, out);
    }
}

fn instance<'a>(
    node: &'a Node,
    module: &str,
    values: Option<&'a Node>,
    sensitive: Option<&'a Node>,
) -> Option<Instance<'a>> {
    let address = node.get("address")?;
    Some(Instance {
        address: address.text()?.into(),
        // A path that can't be read stays one of its own: nothing else is found in it.
        module: module_path(module).unwrap_or_else(|| vec![(module.into(), None)]),
        data: node.get("mode").and_then(Node::text) == Some("data"),
        kind: node.get("type")?.text()?.into(),
        name: node.get("name").and_then(Node::text).unwrap_or_default().into(),
        key: node.get("index").filter(|index| !index.is_null()).and_then(Key::of),
        values: values.filter(|values| values.as_map().is_some()),
        unknown: None,
        sensitive,
        at: address.span,
        fresh: false,
    })
}

/// The changes of a plan, without those of objects that were replaced before and are only cleaned up.
#[derive(Debug, Default)]
struct Changes<'a> {
    given: bool,
    by_address: BTreeMap<Arc<str>, Change<'a>>,
    /// Addresses that objects had before they were moved.
    moved_from: BTreeSet<&'a str>,
}

#[derive(Debug)]
struct Change<'a> {
    address: Arc<str>,
    data: bool,
    node: &'a Node,
    inner: &'a Node,
}

impl<'a> Changes<'a> {
    fn of(document: &'a Node) -> Self {
        let Some(list) = document.get("resource_changes") else { return Changes::default() };
        let mut out = Changes { given: true, ..Changes::default() };
        for node in list.items() {
            let deposed = node.get("deposed").is_some_and(|key| !key.is_null());
            let (Some(address), Some(inner)) = (node.get("address").and_then(Node::text), node.get("change")) else {
                continue;
            };
            out.moved_from.extend(node.get("previous_address").and_then(Node::text));
            if !deposed {
                let data = node.get("mode").and_then(Node::text) == Some("data");
                let change = Change { address: address.into(), data, node, inner };
                out.by_address.insert(address.into(), change);
            }
        }
        let now: Vec<&str> =
            out.moved_from.iter().copied().filter(|address| out.by_address.contains_key(*address)).collect();
        now.into_iter().for_each(|address| {
            out.moved_from.remove(address);
        });
        out
    }
}

impl<'a> Change<'a> {
    fn does(&self, action: &str) -> bool {
        let actions = self.inner.get("actions").map_or(&[][..], Node::items);
        actions.iter().any(|known| known.text() == Some(action))
    }

    /// Something about the world is other afterwards.
    fn changes_something(&self) -> bool {
        !self.data && ["create", "update", "delete"].iter().any(|action| self.does(action))
    }

    /// For an object that sets a value of another one: the attribute that names that one, and the value.
    fn association(&self) -> Option<(&'static str, &'static str)> {
        Some(match self.node.get("type")?.text()? {
            "azurerm_subnet_route_table_association" => ("subnet_id", "routeTable"),
            "azurerm_subnet_network_security_group_association" => ("subnet_id", "networkSecurityGroup"),
            "azurerm_subnet_nat_gateway_association" => ("subnet_id", "natGateway"),
            "azurerm_nat_gateway_public_ip_association" => ("nat_gateway_id", "publicIpAddresses"),
            "azurerm_nat_gateway_public_ip_prefix_association" => ("nat_gateway_id", "publicIpPrefixes"),
            "azurerm_network_interface_security_group_association" => ("network_interface_id", "networkSecurityGroup"),
            "azurerm_virtual_network_dns_servers" => ("virtual_network_id", "dhcpOptions"),
            _ => return None,
        })
    }

    /// It is part of what there was. A cluster that is removed and made anew has no past: nothing of it changes in place, so
    /// there is nothing the platform could refuse.
    fn was_there(&self) -> bool {
        let is_of_cluster =
            self.node.get("type").and_then(Node::text).is_some_and(|kind| kind.contains("_kubernetes_"))
                || self
                    .value("before")
                    .and_then(|before| before.get("type")?.text())
                    .is_some_and(|arm| arm.to_ascii_lowercase().starts_with("microsoft.containerservice/"));
        let is_made_anew = is_of_cluster && self.does("create") && self.does("delete");
        !self.data && !is_made_anew
    }

    fn value(&self, side: &str) -> Option<&'a Node> {
        self.inner.get(side).filter(|value| value.as_map().is_some())
    }

    fn instance(&self, side: &str) -> Option<Instance<'a>> {
        let module = self.node.get("module_address").and_then(Node::text).unwrap_or_default();
        let sensitive = self.inner.get(if side == "before" { "before_sensitive" } else { "after_sensitive" });
        let mut instance = instance(self.node, module, Some(self.value(side)?), sensitive)?;
        if side == "after" {
            instance.unknown = self.inner.get("after_unknown");
            instance.fresh = self.does("create");
        }
        Some(instance)
    }
}
