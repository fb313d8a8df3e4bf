//! The objects of one side of a plan, found by where they stand in the configuration, and the configuration itself.

use super::address::{Key, ModulePath};
use super::plan::Instance;
use crate::tree::{Entry, Node};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// One side of a plan: what there is, or what there will be.
#[derive(Debug)]
pub(super) struct World<'a> {
    pub(super) instances: Vec<Instance<'a>>,
    blocks: BTreeMap<Block, Vec<usize>>,
    module_keys: BTreeMap<(ModulePath, Arc<str>), BTreeSet<Option<Key>>>,
    configuration: Option<&'a Node>,
    pub(super) variables: Option<&'a Node>,
}

/// A block of the configuration in one instance of its module.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Block {
    pub(super) module: ModulePath,
    pub(super) data: bool,
    pub(super) kind: Arc<str>,
    pub(super) name: Arc<str>,
}

/// One step into the values of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Inner {
    /// An attribute or block.
    Name(&'static str),
    /// One of several blocks: its number, and its `name` where it has one.
    Item(usize, Option<Arc<str>>),
}

/// What the configuration says of an attribute.
#[derive(Debug)]
pub(super) enum Configured<'a> {
    /// These expressions set it; several where it can't be told which of several blocks is meant.
    By(Vec<&'a Node>),
    /// Nothing sets it: what it becomes is up to the provider.
    Not,
    /// It can't be told: there is no configuration, or a `dynamic` block makes it, which the configuration does not show.
    Unclear,
}

impl<'a> World<'a> {
    pub(super) fn new(
        mut instances: Vec<Instance<'a>>,
        configuration: Option<&'a Node>,
        variables: Option<&'a Node>,
    ) -> Self {
        instances.sort_by(|one, other| one.address.cmp(&other.address));
        let mut blocks: BTreeMap<Block, Vec<usize>> = BTreeMap::new();
        let mut module_keys: BTreeMap<(ModulePath, Arc<str>), BTreeSet<Option<Key>>> = BTreeMap::new();
        for (at, instance) in instances.iter().enumerate() {
            blocks.entry(Block::of(instance)).or_default().push(at);
            let mut path = ModulePath::new();
            for (name, key) in &instance.module {
                module_keys.entry((path.clone(), name.clone())).or_default().insert(key.clone());
                path.push((name.clone(), key.clone()));
            }
        }
        World { instances, blocks, module_keys, configuration, variables }
    }

    pub(super) fn get(&self, at: usize) -> Option<&Instance<'a>> {
        self.instances.get(at)
    }

    /// The objects of a block.
    pub(super) fn of_block(&self, block: &Block) -> &[usize] {
        self.blocks.get(block).map_or(&[], Vec::as_slice)
    }

    /// The keys of the instances of a module that is called `name` in the module at `path`.
    pub(super) fn keys_of_module(&self, path: &ModulePath, name: &Arc<str>) -> impl Iterator<Item = &Option<Key>> {
        self.module_keys.get(&(path.clone(), name.clone())).into_iter().flatten()
    }

    /// A module as it is configured.
    pub(super) fn module(&self, path: &ModulePath) -> Option<&'a Node> {
        path.iter().try_fold(self.configuration?, |module, (name, _)| call_in(module, name)?.get("module"))
    }

    /// The call of a module as it is configured.
    pub(super) fn call(&self, path: &ModulePath) -> Option<&'a Node> {
        let ((name, _), above) = path.split_last()?;
        call_in(self.module(&above.to_vec())?, name)
    }

    /// A resource or data source as it is configured.
    pub(super) fn block(&self, block: &Block) -> Option<&'a Node> {
        let mode = if block.data { "data" } else { "managed" };
        let is = |resource: &&Node, key: &str, text: &str| resource.get(key).and_then(Node::text) == Some(text);
        self.module(&block.module)?.get("resources")?.items().iter().find(|resource| {
            is(resource, "mode", mode) && is(resource, "type", &block.kind) && is(resource, "name", &block.name)
        })
    }

    /// What the configuration says of a value.
    pub(super) fn configured(&self, block: &Block, path: &[Inner]) -> Configured<'a> {
        let Some(expressions) = self.block(block).and_then(|block| block.get("expressions")) else {
            return Configured::Unclear;
        };
        let mut found = vec![expressions];
        for (depth, step) in path.iter().enumerate() {
            match step {
                Inner::Name(name) => {
                    // An expression that sets the whole says nothing of its parts.
                    if !found.is_empty() && found.iter().all(|node| is_expression(node)) && depth > 0 {
                        return Configured::By(found);
                    }
                    let inside: Vec<&Node> = found.iter().filter_map(|node| node.get(name)).collect();
                    if inside.is_empty() {
                        let last = depth + 1 == path.len();
                        return if last { Configured::Not } else { Configured::Unclear };
                    }
                    found = inside;
                }
                Inner::Item(at, name) => found = found.into_iter().flat_map(|node| item(node, *at, name)).collect(),
            }
        }
        if found.is_empty() { Configured::Unclear } else { Configured::By(found) }
    }
}

impl Block {
    pub(super) fn of(instance: &Instance) -> Block {
        Block {
            module: instance.module.clone(),
            data: instance.data,
            kind: instance.kind.clone(),
            name: instance.name.clone(),
        }
    }
}

fn call_in<'a>(module: &'a Node, name: &str) -> Option<&'a Node> {
    module.get("module_calls")?.get(name)
}

/// An expression has what it refers to or what it always is. (One that is neither is `{}`, as a block without settings.)
pub(super) fn is_expression(node: &Node) -> bool {
    let keys = |entry: &Entry| matches!(entry.key.as_ref(), "references" | "constant_value");
    node.as_map().is_some_and(|entries| !entries.is_empty() && entries.iter().all(keys))
}

/// One block among its brothers: the one with that name, else the only one, else all of them. Values of sets stand in
/// another order than the blocks they come from.
fn item<'a>(node: &'a Node, _at: usize, name: &Option<Arc<str>>) -> Vec<&'a Node> {
    let Some(items) = node.as_seq() else { return vec![node] };
    let named = |item: &&Node| {
        let constant = item.get("name").and_then(|name| name.get("constant_value")).and_then(Node::text);
        constant.is_some() && constant == name.as_deref()
    };
    match items.iter().find(named) {
        Some(found) => vec![found],
        None => items.iter().collect(),
    }
}
