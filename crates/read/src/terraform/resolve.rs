//! What an expression leads to: through variables, outputs and modules to the objects whose values it takes. Locals are
//! not in a plan; what goes through them stays unknown.

use super::address::{Key, ModulePath, Step, steps};
use super::world::{Block, World};
use crate::tree::Node;
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Where an expression stands: the module, the key of the object it belongs to, and what that object goes through.
#[derive(Debug, Clone)]
pub(super) struct Scope<'a> {
    pub(super) module: ModulePath,
    pub(super) key: Option<Key>,
    pub(super) for_each: Option<&'a Node>,
}

/// An object an expression leads to, by its number, and the attribute of it.
pub(super) type Target = (usize, Vec<Step>);

#[derive(Debug)]
pub(super) struct Resolver<'w, 'a> {
    world: &'w World<'a>,
    /// References left to follow: nobody's plan needs so many for one value.
    budget: Cell<usize>,
    /// References followed inside each other.
    depth: Cell<usize>,
    /// The way led through locals, which a plan does not show; with the keys that were asked of them.
    locals: RefCell<Option<BTreeSet<String>>>,
}

const MOST_REFERENCES: usize = 10_000;
const DEEPEST: usize = 64;

impl Step {
    fn text(&self) -> String {
        match self {
            Step::Name(name) => name.to_string(),
            Step::Key(key) => key.to_string(),
        }
    }
}

impl<'w, 'a> Resolver<'w, 'a> {
    pub(super) fn new(world: &'w World<'a>) -> Self {
        Resolver { world, budget: Cell::new(MOST_REFERENCES), depth: Cell::new(0), locals: RefCell::new(None) }
    }

    /// The scope of an object's own expressions.
    pub(super) fn scope(&self, at: usize) -> Scope<'a> {
        let Some(instance) = self.world.get(at) else {
            return Scope { module: ModulePath::new(), key: None, for_each: None };
        };
        let for_each = self.world.block(&Block::of(instance)).and_then(|block| block.get("for_each_expression"));
        Scope { module: instance.module.clone(), key: instance.key.clone(), for_each }
    }

    /// The objects an expression takes values of.
    pub(super) fn targets(&self, expression: &Node, scope: &Scope<'a>) -> BTreeSet<usize> {
        let mut out = Vec::new();
        self.follow(expression, scope, &[], &[], &mut out);
        out.into_iter().map(|(at, _)| at).collect()
    }

    /// Whether the way led through locals, and the keys that were asked of them.
    pub(super) fn into_locals(self) -> Option<BTreeSet<String>> {
        self.locals.into_inner()
    }

    /// `wanted` is what is picked out of the expression's value (`["nodes"].id`), `hints` are texts that may be keys on the way.
    fn follow(&self, expression: &Node, scope: &Scope<'a>, wanted: &[Step], hints: &[String], out: &mut Vec<Target>) {
        if !self.enter() {
            return;
        }
        let all = references(expression);
        for (at, reference) in all.iter().enumerate() {
            // Other references of the expression may be the key that is looked up: `azurerm_subnet.this[each.key].id`.
            let others = all.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, other)| other);
            let mut hints: Vec<String> = hints.iter().cloned().chain(wanted.iter().map(Step::text)).collect();
            hints.extend(others.filter_map(|other| self.key_said_by(other, scope)));
            self.reference(reference, scope, wanted, &hints, out);
        }
        self.leave();
    }

    fn reference(&self, path: &[Step], scope: &Scope<'a>, wanted: &[Step], hints: &[String], out: &mut Vec<Target>) {
        let names: Vec<&str> = path.iter().map_while(|step| step.name()).map(AsRef::as_ref).collect();
        match names.as_slice() {
            ["var", name, ..] => {
                let Some(call) = self.world.call(&scope.module) else { return };
                let Some(expression) = call.get("expressions").and_then(|inputs| inputs.get(name)) else { return };
                let wanted = [path.get(2..).unwrap_or_default(), wanted].concat();
                self.follow(expression, &self.scope_of_call(&scope.module), &wanted, hints, out);
            }
            ["each", "value", ..] => {
                let Some(expression) = scope.for_each else { return };
                let key = scope.key.clone().map(Step::Key);
                let wanted = [key.as_slice(), path.get(2..).unwrap_or_default(), wanted].concat();
                // What is gone through is known before its objects are: no key of its own takes part.
                let outer = Scope { key: None, for_each: None, module: scope.module.clone() };
                self.follow(expression, &outer, &wanted, hints, out);
            }
            ["module", name, ..] => self.output(name, path.get(2..).unwrap_or_default(), scope, wanted, hints, out),
            ["local", ..] => {
                let rest = path.get(2..).unwrap_or_default().iter().chain(wanted);
                let keys = rest.filter_map(|step| match step {
                    Step::Key(key) => Some(key.to_string()),
                    Step::Name(_) => None,
                });
                self.locals.borrow_mut().get_or_insert_default().extend(keys.chain(hints.iter().cloned()));
            }
            ["each" | "count" | "path" | "self" | "terraform", ..] => {}
            ["data", kind, name, ..] => {
                let block =
                    Block { module: scope.module.clone(), data: true, kind: (*kind).into(), name: (*name).into() };
                self.objects(&block, path.get(3..).unwrap_or_default(), wanted, hints, out);
            }
            [kind, name, ..] => {
                let block =
                    Block { module: scope.module.clone(), data: false, kind: (*kind).into(), name: (*name).into() };
                self.objects(&block, path.get(2..).unwrap_or_default(), wanted, hints, out);
            }
            _ => {}
        }
    }

    /// An output of a module that is called in the scope's module, or all of them where none is named.
    fn output(
        &self,
        name: &str,
        rest: &[Step],
        scope: &Scope<'a>,
        wanted: &[Step],
        hints: &[String],
        out: &mut Vec<Target>,
    ) {
        let name: Arc<str> = name.into();
        let named = matches!(rest.first(), Some(Step::Key(_)));
        let rest = [rest, wanted].concat();
        let keys: Vec<Option<Key>> = self.world.keys_of_module(&scope.module, &name).cloned().collect();
        let (keys, rest) = pick(&keys, Option::clone, &rest, named, hints);
        for key in keys {
            let mut path = scope.module.clone();
            path.push((name.clone(), key));
            let Some(outputs) = self.world.module(&path).and_then(|module| module.get("outputs")) else { continue };
            let inner = Scope { module: path, key: None, for_each: None };
            let named = rest.split_first().and_then(|(first, rest)| Some((outputs.get(first.name()?)?, rest)));
            let found: Vec<(&Node, &[Step])> = match named {
                Some(named) => vec![named],
                None => outputs.entries().iter().map(|entry| (&entry.node, rest)).collect(),
            };
            for (output, rest) in found {
                if let Some(expression) = output.get("expression") {
                    self.follow(expression, &inner, rest, hints, out);
                }
            }
        }
    }

    /// The objects of a block that are meant.
    fn objects(&self, block: &Block, rest: &[Step], wanted: &[Step], hints: &[String], out: &mut Vec<Target>) {
        let named = matches!(rest.first(), Some(Step::Key(_)));
        let rest = [rest, wanted].concat();
        let all = self.world.of_block(block);
        let key = |at: &usize| self.world.get(*at).and_then(|instance| instance.key.clone());
        let (picked, attribute) = pick(all, key, &rest, named, hints);
        out.extend(picked.into_iter().map(|at| (at, attribute.to_vec())));
    }

    /// The text of a reference that may serve as a key: `each.key`, `count.index`, a value that is written somewhere.
    fn key_said_by(&self, path: &[Step], scope: &Scope<'a>) -> Option<String> {
        match path.first()?.name()?.as_ref() {
            "each" if path.get(1)?.name()?.as_ref() == "key" => Some(scope.key.as_ref()?.to_string()),
            "count" => Some(scope.key.as_ref()?.to_string()),
            "each" | "var" => self.written(path, scope)?.text().map(str::to_owned),
            _ => None,
        }
    }

    /// The value of a reference where it is written as it is: a variable of the root module, a constant in a call.
    fn written(&self, path: &[Step], scope: &Scope<'a>) -> Option<&'a Node> {
        let name = path.get(1)?.name()?;
        let (whole, rest) = match path.first()?.name()?.as_ref() {
            "var" if scope.module.is_empty() => {
                (self.world.variables?.get(name)?.get("value")?, path.get(2..).unwrap_or_default())
            }
            "var" => {
                let expression = self.world.call(&scope.module)?.get("expressions")?.get(name)?;
                let value = self.value_of(expression, &self.scope_of_call(&scope.module))?;
                (value, path.get(2..).unwrap_or_default())
            }
            "each" if name.as_ref() == "value" => {
                let outer = Scope { key: None, for_each: None, module: scope.module.clone() };
                let all = self.value_of(scope.for_each?, &outer)?;
                (all.get(&scope.key.as_ref()?.to_string())?, path.get(2..).unwrap_or_default())
            }
            _ => return None,
        };
        rest.iter().try_fold(whole, |node, step| match step {
            Step::Name(name) => node.get(name),
            Step::Key(Key::Text(key)) => node.get(key),
            Step::Key(Key::Number(at)) => node.items().get(usize::try_from(*at).ok()?),
        })
    }

    fn value_of(&self, expression: &'a Node, scope: &Scope<'a>) -> Option<&'a Node> {
        if let Some(constant) = expression.get("constant_value") {
            return Some(constant);
        }
        let references = references(expression);
        let [only] = references.as_slice() else { return None };
        let value = self.enter().then(|| self.written(only, scope))?;
        self.leave();
        value
    }

    /// The scope in which the inputs of a module are written.
    fn scope_of_call(&self, path: &ModulePath) -> Scope<'a> {
        let (key, above) = match path.split_last() {
            Some(((_, key), above)) => (key.clone(), above.to_vec()),
            None => (None, ModulePath::new()),
        };
        let for_each = self.world.call(path).and_then(|call| call.get("for_each_expression"));
        Scope { module: above, key, for_each }
    }

    fn enter(&self) -> bool {
        let (left, depth) = (self.budget.get(), self.depth.get());
        if left == 0 || depth >= DEEPEST {
            return false;
        }
        self.budget.set(left - 1);
        self.depth.set(depth + 1);
        true
    }

    fn leave(&self) {
        self.depth.set(self.depth.get().saturating_sub(1));
    }
}

/// Those of several objects that are meant, and what is asked of them: the one whose key comes first in `rest` (which is
/// no guess where the reference itself has it: `named`), else the one whose key is hinted at, else all.
fn pick<'r, T: Clone>(
    all: &[T],
    key: impl Fn(&T) -> Option<Key>,
    rest: &'r [Step],
    named: bool,
    hints: &[String],
) -> (Vec<T>, &'r [Step]) {
    if let Some((Step::Key(wanted), rest)) = rest.split_first() {
        let picked: Vec<T> = all.iter().filter(|item| key(item).as_ref() == Some(wanted)).cloned().collect();
        if named || !picked.is_empty() {
            return (picked, rest);
        }
    }
    let hinted = |item: &&T| key(item).is_some_and(|key| hints.iter().any(|hint| key.is(hint)));
    let picked: Vec<T> = all.iter().filter(hinted).cloned().collect();
    (if picked.len() == 1 { picked } else { all.to_vec() }, rest)
}

/// What an expression refers to. A plan lists `a.b.id`, `a.b` for `a.b.id`: each reference is followed by what it begins with.
fn references(expression: &Node) -> Vec<Vec<Step>> {
    let mut out: Vec<Vec<Step>> = Vec::new();
    for text in expression.get("references").map_or(&[][..], Node::items).iter().filter_map(Node::text) {
        let Some(steps) = steps(text) else { continue };
        if !out.last().is_some_and(|last| last.starts_with(&steps)) {
            out.push(steps);
        }
    }
    out
}
