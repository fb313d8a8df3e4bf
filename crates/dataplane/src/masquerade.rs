//! The masquerade of a node as rules.
//!
//! The meaning is that of ip-masq-agent-v2 (its source tree of 2025-09-05): a packet whose destination is neither an address of
//! the machine itself nor exempt leaves with the machine's address. What is added to it is counted and scoped, never changed.

mod compiled;

pub use compiled::Compiled;

use crate::prefixes::PrefixSet;
use crate::ruleset::{
    AddressField, BaseChain, Chain, ChainKind, Hook, Match, Policy, Rule, Ruleset, Set, Table, TableFamily, TableId,
    Verdict,
};
use causeway_addr::{Cidr, Family};
use causeway_model::facts::special::{LINK_LOCAL, LINK_LOCAL_IPV6};
use causeway_model::masquerade::MasqueradeConfig;
use std::collections::{BTreeMap, BTreeSet};

/// The name of our tables, one of family `ip` and one of family `ip6`.
pub const TABLE: &str = "causeway-masquerade";
/// The nat chain. Its priority is one after iptables' and kube-proxy's 100, where the original agent's jump comes last too; at
/// equal priority the order would depend on who registered last.
pub const CHAIN: &str = "postrouting";
/// See [`CHAIN`].
pub const PRIORITY: i32 = 101;
/// The chain that decides about packets that may be translated.
pub const TRANSLATE: &str = "translate";
/// The filter chain that counts packets of translated connections.
pub const COUNT_CHAIN: &str = "count";
/// Its priority: after every nat chain.
pub const COUNT_PRIORITY: i32 = 110;
/// Destinations that keep the packet's source.
pub const EXEMPT_SET: &str = "exempt";
/// Sources that are translated, where only some are.
pub const SOURCES_SET: &str = "sources";
/// Counts connections to exempt destinations.
pub const EXEMPT_COUNTER: &str = "exempt";
/// Counts connections that were translated here.
pub const TRANSLATED_COUNTER: &str = "translated";
/// Counts packets and bytes of connections whose source was translated, by whomever.
pub const PACKETS_COUNTER: &str = "translated-packets";

/// What a node's masquerade should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// What the files say.
    pub config: MasqueradeConfig,
    /// Only packets from these sources are translated; empty = from all. With sources of one family only, packets of the
    /// other family are not translated at all.
    pub sources: Vec<Cidr>,
    /// Source ports are chosen at random.
    pub random_fully: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Settings { config: MasqueradeConfig::default(), sources: Vec::new(), random_fully: true }
    }
}

impl Settings {
    /// The families that are translated.
    pub fn families(&self) -> impl Iterator<Item = Family> + '_ {
        Family::ALL.into_iter().filter(|family| *family == Family::V4 || self.config.ipv6)
    }

    /// Destinations of a family that keep the source, link-local included.
    pub fn exempt(&self, family: Family) -> PrefixSet {
        let mut set = PrefixSet::new(family, &self.config.exempt);
        if let Some(local) = self.link_local(family) {
            set.insert(local);
        }
        set
    }

    /// The link-local range of the family, where it is exempt.
    pub fn link_local(&self, family: Family) -> Option<Cidr> {
        match family {
            Family::V4 => (!self.config.link_local).then_some(LINK_LOCAL),
            Family::V6 => (!self.config.link_local_v6).then_some(LINK_LOCAL_IPV6),
        }
    }
}

/// Our table of a family.
pub fn table(family: Family) -> TableId {
    let family = match family {
        Family::V4 => TableFamily::Ip,
        Family::V6 => TableFamily::Ip6,
    };
    TableId { family, name: TABLE.to_owned() }
}

/// Both of our tables, whether they are wanted or not.
pub fn tables() -> [TableId; 2] {
    Family::ALL.map(table)
}

/// The rules. Prefixes are kept as given: which rule lets a packet through says which line of the configuration did.
pub fn compile(settings: &Settings) -> Ruleset {
    Ruleset { tables: settings.families().map(|family| (table(family), family_table(settings, family))).collect() }
}

fn family_table(settings: &Settings, family: Family) -> Table {
    let mut sets = BTreeMap::from([(EXEMPT_SET.to_owned(), Set::Prefixes(settings.exempt(family)))]);
    let mut scope = Vec::new();
    if !settings.sources.is_empty() {
        sets.insert(SOURCES_SET.to_owned(), Set::Prefixes(PrefixSet::new(family, &settings.sources)));
        scope.push(Match::In { field: AddressField::Source, set: SOURCES_SET.to_owned() });
    }
    let candidates = if scope.is_empty() { "every source is translated" } else { "sources that are translated" };
    let chains = [
        (
            CHAIN,
            Chain {
                base: Some(base(ChainKind::Nat, PRIORITY)),
                rules: vec![
                    rule(vec![Match::LocalDestination], None, Verdict::Return, "destination is this machine"),
                    rule(scope, None, Verdict::Goto(TRANSLATE.to_owned()), candidates),
                ],
            },
        ),
        (
            TRANSLATE,
            Chain {
                base: None,
                rules: vec![
                    rule(
                        vec![Match::In { field: AddressField::Destination, set: EXEMPT_SET.to_owned() }],
                        Some(EXEMPT_COUNTER),
                        Verdict::Return,
                        "destination is exempt",
                    ),
                    rule(
                        Vec::new(),
                        Some(TRANSLATED_COUNTER),
                        Verdict::Masquerade { fully_random: settings.random_fully },
                        "everything else leaves with the address of the node",
                    ),
                ],
            },
        ),
        (
            COUNT_CHAIN,
            Chain {
                base: Some(base(ChainKind::Filter, COUNT_PRIORITY)),
                rules: vec![Rule {
                    matches: vec![Match::SourceTranslated, Match::OriginalDirection],
                    counter: Some(PACKETS_COUNTER.to_owned()),
                    sample: None,
                    verdict: None,
                    comment: "packets whose source was translated, by whomever".to_owned(),
                }],
            },
        ),
    ];
    Table {
        limits: BTreeMap::new(),
        sets,
        counters: BTreeSet::from([EXEMPT_COUNTER, TRANSLATED_COUNTER, PACKETS_COUNTER].map(str::to_owned)),
        chains: chains.into_iter().map(|(name, chain)| (name.to_owned(), chain)).collect(),
    }
}

fn base(kind: ChainKind, priority: i32) -> BaseChain {
    BaseChain { kind, hook: Hook::Postrouting, priority, policy: Policy::Accept }
}

fn rule(matches: Vec<Match>, counter: Option<&str>, verdict: Verdict, comment: &str) -> Rule {
    Rule {
        matches,
        counter: counter.map(str::to_owned),
        sample: None,
        verdict: Some(verdict),
        comment: comment.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cidrs(list: &[&str]) -> Vec<Cidr> {
        list.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn settings(exempt: &[&str], ipv6: bool) -> Settings {
        Settings {
            config: MasqueradeConfig { exempt: cidrs(exempt), ipv6, ..Default::default() },
            ..Default::default()
        }
    }

    fn exempt(ruleset: &Ruleset, family: Family) -> Vec<String> {
        let Set::Prefixes(set) = &ruleset.tables[&table(family)].sets[EXEMPT_SET] else { panic!("no prefixes") };
        set.iter().map(|cidr| cidr.to_string()).collect()
    }

    #[test]
    fn each_family_gets_its_own_prefixes_and_link_local() {
        let ruleset = compile(&settings(&["192.168.0.0/16", "10.0.0.0/8", "fd00::/8", "10.0.0.0/8"], true));
        assert_eq!(exempt(&ruleset, Family::V4), ["10.0.0.0/8", "169.254.0.0/16", "192.168.0.0/16"]);
        assert_eq!(exempt(&ruleset, Family::V6), ["fd00::/8", "fe80::/10"]);
    }

    #[test]
    fn ipv6_off_means_no_ipv6_table() {
        let ruleset = compile(&settings(&["10.0.0.0/8"], false));
        assert_eq!(ruleset.tables.keys().collect::<Vec<_>>(), [&table(Family::V4)]);
    }

    #[test]
    fn link_local_is_translated_when_the_file_says_so() {
        let mut wanted = settings(&[], true);
        wanted.config.link_local = true;
        wanted.config.link_local_v6 = true;
        let ruleset = compile(&wanted);
        assert!(exempt(&ruleset, Family::V4).is_empty());
        assert!(exempt(&ruleset, Family::V6).is_empty());
    }

    #[test]
    fn the_order_of_the_configuration_changes_nothing() {
        let list = ["10.1.0.0/16", "10.0.0.0/8", "0.0.0.0/0", "fd00::/8", "::/0"];
        let mut turned = list;
        turned.reverse();
        assert_eq!(compile(&settings(&list, true)), compile(&settings(&turned, true)));
    }

    #[test]
    fn sources_of_one_family_leave_the_other_alone() {
        let mut wanted = settings(&["10.0.0.0/8"], true);
        wanted.sources = cidrs(&["10.244.0.0/16"]);
        let ruleset = compile(&wanted);
        for (family, prefixes) in [(Family::V4, 1), (Family::V6, 0)] {
            let Set::Prefixes(sources) = &ruleset.tables[&table(family)].sets[SOURCES_SET] else { panic!() };
            assert_eq!(sources.len(), prefixes, "{family}");
        }
    }
}
