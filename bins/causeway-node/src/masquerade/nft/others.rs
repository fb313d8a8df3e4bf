//! What other programs have in nf_tables that concerns us: the chain of the agent before, and rules that get packets before ours.

use crate::masquerade::kernel::Shadowing;
use causeway_addr::Family;
use causeway_dataplane::masquerade::TABLE;
use causeway_dataplane::nftables::objects::{Expression, ObservedTable, Op};
use causeway_dataplane::nftables::{Shadow, effect, shadows, take_over};
use causeway_dataplane::ruleset::{TableFamily, TableId};
use causeway_dataplane::unmarked::Takes;
use causeway_linux::netlink::Error;
use causeway_linux::nftables::Connection;
use std::collections::{BTreeMap, BTreeSet};

/// The chain of the original, unless it was told otherwise.
const USUAL_CHAIN: &str = "IP-MASQ-AGENT";
/// Stands in the comment of the last rule of every chain the original makes, under whatever name.
const MARK: &[u8] = b"ip-masq-agent: outbound traffic is subject to MASQUERADE";
/// The chain the original jumps from.
const POSTROUTING: &str = "POSTROUTING";

/// The tables iptables keeps its nat rules in.
fn nat_tables() -> [TableId; 2] {
    [TableFamily::Ip, TableFamily::Ip6].map(|family| TableId { family, name: "nat".to_owned() })
}

/// Chains the original may have made: the names given, and those that are found by what their rules say.
#[derive(Debug)]
pub(super) struct OldAgent {
    names: BTreeSet<String>,
    searched: bool,
}

impl OldAgent {
    pub(super) fn new(chain: &str) -> OldAgent {
        OldAgent { names: [USUAL_CHAIN, chain].map(str::to_owned).into(), searched: false }
    }

    /// What removes them, as of now. The first time everything is searched, because a chain may have been renamed since; that is not
    /// repeated, because kube-proxy's table may be large.
    pub(super) fn removal(&mut self, connection: &mut Connection) -> Result<Vec<Op>, Error> {
        let mut ops = Vec::new();
        for id in nat_tables() {
            if !self.searched
                && let Some(table) = connection.read_table_without_keys(&id)?
            {
                self.names.extend(marked(&table));
            }
            let names: Vec<&str> = self.names.iter().map(String::as_str).chain([POSTROUTING]).collect();
            let Some(table) = connection.read_chains(&id, &names)? else { continue };
            for name in &self.names {
                ops.extend(take_over(&id, &table, name));
            }
        }
        self.searched = true;
        Ok(ops)
    }
}

/// Chains that a rule with the original's comment is in.
fn marked(table: &ObservedTable) -> impl Iterator<Item = String> + '_ {
    let says = |expression: &Expression| match expression {
        Expression::Other { name, extension, data } => {
            name == "match" && extension == "comment" && data.windows(MARK.len()).any(|part| part == MARK)
        }
        _ => false,
    };
    let chains = table.objects.chains.iter().filter(|(_, chain)| chain.base.is_none());
    let marked = chains.filter(move |(_, chain)| {
        let said = |comment: &str| comment.as_bytes().starts_with(MARK);
        chain.rules.iter().any(|rule| said(&rule.comment) || rule.expressions.iter().any(says))
    });
    marked.map(|(name, _)| name.clone())
}

/// Rules of others that decide about packets instead of ours, in the families that are on.
pub(crate) fn before_ours(connection: &mut Connection, families: &[Family]) -> Result<Vec<Shadow>, Error> {
    let chains = connection.base_chains()?;
    let of_note = chains.iter().filter(|chain| effect(&chain.base).is_some());
    let ids: BTreeSet<&TableId> = of_note.map(|chain| &chain.table).filter(|table| table.name != TABLE).collect();
    let mut tables = BTreeMap::new();
    for id in ids {
        if let Some(table) = connection.read_table_without_keys(id)? {
            tables.insert(id.clone(), table);
        }
    }
    Ok(families.iter().flat_map(|family| shadows(*family, &tables)).collect())
}

/// In the agent's terms. A known program's rules that take only marked packets, or those of their own conditions, are there wherever the
/// program is.
pub(crate) fn shadowing(shadow: Shadow) -> Shadowing {
    let expected = shadow.owner.is_some_and(|owner| owner != "ip-masq-agent") && shadow.takes != Takes::Everything;
    Shadowing { owner: shadow.owner.unwrap_or("unknown"), expected, words: shadow.to_string() }
}
