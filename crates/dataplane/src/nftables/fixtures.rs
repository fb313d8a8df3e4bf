//! What a node's own nat table holds in the tests: the chains of kube-proxy, the original agent and somebody else.

use super::objects::{ChainObject, Expression, RuleObject, TableObjects, VerdictObject};
use crate::ruleset::{BaseChain, ChainKind, Hook, Policy, TableFamily, TableId};

pub(super) fn nat() -> TableId {
    TableId { family: TableFamily::Ip, name: "nat".into() }
}

pub(super) fn base(priority: i32) -> Option<BaseChain> {
    Some(BaseChain { kind: ChainKind::Nat, hook: Hook::Postrouting, priority, policy: Policy::Accept })
}

pub(super) fn rule(expressions: Vec<Expression>) -> RuleObject {
    RuleObject { expressions, comment: String::new() }
}

pub(super) fn jump(to: &str) -> RuleObject {
    rule(vec![Expression::Counter, Expression::Verdict(VerdictObject::Jump(to.into()))])
}

pub(super) fn extension(name: &str, extension: &str) -> Expression {
    Expression::Other { name: name.into(), extension: extension.into(), data: vec![1] }
}

pub(super) fn masquerade_target() -> RuleObject {
    rule(vec![extension("match", "comment"), Expression::Counter, extension("target", "MASQUERADE")])
}

pub(super) fn objects(chains: Vec<(&str, Option<BaseChain>, Vec<RuleObject>)>) -> TableObjects {
    let chains = chains
        .into_iter()
        .map(|(name, base, rules)| (name.to_owned(), ChainObject { base, foreign_base: None, rules }));
    TableObjects { chains: chains.collect(), ..TableObjects::default() }
}

pub(super) fn node() -> TableObjects {
    objects(vec![
        // The platform's two spellings of the agent's jump, and somebody else's rules around them.
        (
            "POSTROUTING",
            base(100),
            vec![jump("KUBE-POSTROUTING"), jump("IP-MASQ-AGENT"), jump("OTHER"), jump("IP-MASQ-AGENT")],
        ),
        ("KUBE-POSTROUTING", None, vec![rule(vec![extension("match", "mark"), extension("target", "MASQUERADE")])]),
        ("IP-MASQ-AGENT", None, vec![masquerade_target()]),
        ("OTHER", None, vec![]),
        ("UNREACHED", None, vec![masquerade_target()]),
    ])
}
