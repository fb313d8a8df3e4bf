//! A policy made ready: who it is about and who its peers are as numbers of sets.

use crate::dialect::{Dialect, Known};
use crate::sets::{Scope, SetId, SetKey};
use crate::words::{Word, Words};
use causeway_addr::Cidr;
use causeway_model::design::Protocol;
use causeway_model::policy::*;
use std::sync::Arc;

/// A policy in the index.
#[derive(Debug, Clone)]
pub(crate) struct Compiled {
    pub(crate) source: Policy,
    /// Its kind, namespace and name as one text: it is asked for wherever somebody is to be blamed.
    pub(crate) name: Arc<str>,
    /// The engine enforces it at all.
    pub(crate) enforced: bool,
    /// Versions of the engine differ in whether they do, and the version is not known.
    pub(crate) doubted: bool,
    pub(crate) subject: SetId,
    /// By direction.
    pub(crate) rules: [Option<Vec<Rule>>; 2],
    /// What it uses, to give back.
    pub(crate) uses: Uses,
}

/// One rule.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    pub(crate) action: Action,
    pub(crate) peers: RulePeers,
    /// `None` = every port of every protocol.
    pub(crate) ports: Option<Vec<RulePort>>,
    pub(crate) faulty: bool,
}

#[derive(Debug, Clone)]
pub(crate) enum RulePeers {
    Anyone,
    Of(Vec<SetId>),
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum RulePort {
    /// `sure_to` is where the engine stops being sure.
    Range {
        protocol: Protocol,
        first: u16,
        sure_to: u16,
        last: u16,
    },
    All(Protocol),
    Named {
        protocol: Option<Protocol>,
        name: Word,
    },
}

/// What a policy makes a difference by.
#[derive(Debug, Clone, Default)]
pub(crate) struct Uses {
    pub(crate) pod_keys: Vec<Word>,
    pub(crate) node_keys: Vec<Word>,
    pub(crate) port_names: Vec<Word>,
    pub(crate) prefixes: Vec<Cidr>,
    pub(crate) sets: Vec<SetId>,
}

/// A policy with its sets still by what they are.
pub(crate) struct Draft {
    pub(crate) enforced: bool,
    pub(crate) doubted: bool,
    pub(crate) subject: SetKey,
    pub(crate) rules: [Option<Vec<DraftRule>>; 2],
    pub(crate) uses: Uses,
}

pub(crate) struct DraftRule {
    pub(crate) action: Action,
    /// `None` = anyone.
    pub(crate) peers: Option<Vec<SetKey>>,
    pub(crate) ports: Option<Vec<RulePort>>,
    pub(crate) faulty: bool,
}

/// Reads a policy as an engine does.
pub(crate) fn draft(policy: &Policy, dialect: &Dialect, words: &mut Words) -> Draft {
    let mut uses = Uses::default();
    let subject = pods(&policy.subject, dialect, words, &mut uses);
    let mut rules = [&policy.ingress, &policy.egress].map(|rules| {
        let rules = rules.as_ref()?;
        Some(rules.iter().map(|rule| self::rule(rule, dialect, words, &mut uses)).collect::<Vec<_>>())
    });
    let v6 = uses.prefixes.iter().any(Cidr::is_v6);
    let read = policy.tier == PolicyTier::NetworkPolicy || dialect.reads_tiers != Known::No;
    if policy.tier != PolicyTier::NetworkPolicy {
        // Of the tiers a direction without rules says nothing.
        rules.iter_mut().for_each(|rules| *rules = rules.take().filter(|rules| !rules.is_empty()));
    }
    let by_end_port = |port: &PolicyPort| matches!(port, PolicyPort::Range { by_end_port: true, .. });
    let all = [&policy.ingress, &policy.egress].into_iter().flatten().flatten();
    let doubted = !dialect.reads_end_port && all.flat_map(|rule| rule.ports.iter().flatten()).any(by_end_port);
    Draft { enforced: dialect.enforces && read && (dialect.translates_ipv6 || !v6), doubted, subject, rules, uses }
}

fn rule(rule: &PolicyRule, dialect: &Dialect, words: &mut Words, uses: &mut Uses) -> DraftRule {
    let peers = match &rule.peers {
        Peers::Anyone { stated: true } if rule.ports.is_some() && !dialect.empty_peers_with_ports_allow => {
            Some(Vec::new())
        }
        Peers::Anyone { .. } => None,
        Peers::Of(peers) => Some(peers.iter().map(|peer| self::peer(peer, dialect, words, uses)).collect()),
    };
    let ports =
        rule.ports.as_ref().map(|ports| ports.iter().map(|port| self::port(port, dialect, words, uses)).collect());
    DraftRule { action: rule.action, peers, ports, faulty: rule.faulty }
}

fn peer(peer: &Peer, dialect: &Dialect, words: &mut Words, uses: &mut Uses) -> SetKey {
    match peer {
        Peer::Pods(set) => pods(set, dialect, words, uses),
        Peer::Block(block) => {
            uses.prefixes.push(block.cidr);
            uses.prefixes.extend(&block.except);
            SetKey::Block(block.clone())
        }
        Peer::Nodes(selector) => {
            let wanted = words.selector(selector);
            uses.node_keys.extend(wanted.keys());
            SetKey::Nodes(wanted)
        }
        Peer::Names(_) => SetKey::Names,
    }
}

/// Whom a policy nobody evaluates is about, as the text has it.
pub(crate) fn subject(subject: &Subject, words: &mut Words, uses: &mut Uses) -> SetKey {
    match subject {
        Subject::Pods(set) => pods(set, &Dialect::STRICT, words, uses),
        Subject::Nodes(selector) => peer(&Peer::Nodes(selector.clone()), &Dialect::STRICT, words, uses),
    }
}

fn pods(set: &PodSet, dialect: &Dialect, words: &mut Words, uses: &mut Uses) -> SetKey {
    let scope = match &set.namespaces {
        Namespaces::Named(name) => Scope::Named(words.of(name)),
        Namespaces::Matching(selector) => {
            let wanted = words.selector(selector);
            let outside = !dialect.negative_namespaces_stay_inside && wanted.is_negative();
            let read = if dialect.negates_several_values { wanted } else { wanted.without_negations_of_several() };
            Scope::By(read, outside)
        }
    };
    let pods = words.selector(&set.pods);
    uses.pod_keys.extend(pods.keys());
    SetKey::Pods { scope, pods }
}

fn port(port: &PolicyPort, dialect: &Dialect, words: &mut Words, uses: &mut Uses) -> RulePort {
    match port {
        PolicyPort::Range { protocol, first, last, by_end_port } => {
            let sure_to = if *by_end_port && !dialect.reads_end_port { *first } else { *last };
            RulePort::Range { protocol: *protocol, first: *first, sure_to, last: *last }
        }
        PolicyPort::All(protocol) => RulePort::All(*protocol),
        PolicyPort::Named { protocol, name } => {
            let name = words.of(name);
            uses.port_names.push(name);
            RulePort::Named { protocol: *protocol, name }
        }
    }
}
