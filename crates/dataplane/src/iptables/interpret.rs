//! What a saved nat table does with a packet.

use super::rule::{Meaning, Target};
use super::save::{Chain, Saved};
use super::{POSTROUTING, TABLE};
use crate::evaluate::{Missing, Node, Outcome, ports};
use crate::packet::Packet;

/// Rules looked at before a walk is called broken.
const MOST_STEPS: usize = 1_000_000;

/// Walks the first packet of a connection through POSTROUTING. Rules with conditions that are not understood make the fate uncertain, unless
/// the packet is decided before them.
pub fn interpret(saved: &Saved, packet: &Packet, node: &Node) -> Outcome {
    let Some(chain) = saved.chain(TABLE, POSTROUTING) else { return Outcome::Kept };
    let mut waiting: Vec<std::slice::Iter<'_, super::Rule>> = Vec::new();
    let mut rules = chain.rules.iter();
    for _ in 0..MOST_STEPS {
        let Some(rule) = rules.next() else {
            match waiting.pop() {
                Some(before) => rules = before,
                None => return end(chain),
            }
            continue;
        };
        let meaning = rule.meaning();
        match met(&meaning, packet, node) {
            Err(missing) => return Outcome::Uncertain(missing),
            Ok(false) => continue,
            Ok(true) => {}
        }
        let (target, back) = match &meaning.target {
            None => continue,
            Some(Target::Accept) => return Outcome::Kept,
            Some(Target::Drop) => return Outcome::Dropped,
            Some(Target::Return) => {
                match waiting.pop() {
                    Some(before) => rules = before,
                    None => return end(chain),
                }
                continue;
            }
            Some(Target::Masquerade { random_fully }) => {
                let Some(source) = node.masquerade(packet.family()) else {
                    return Outcome::Uncertain(Missing::MasqueradeAddress(packet.family()));
                };
                return Outcome::Translated { source, port: ports(packet.protocol, *random_fully) };
            }
            Some(Target::Chain(target)) => (target, true),
            Some(Target::Goto(target)) => (target, false),
        };
        let Some(chain) = saved.chain(TABLE, target) else {
            return Outcome::Uncertain(Missing::Expression(format!("target {target}")));
        };
        if back {
            waiting.push(rules);
        }
        rules = chain.rules.iter();
    }
    Outcome::Uncertain(Missing::Broken(format!("a walk of more than {MOST_STEPS} rules")))
}

fn end(chain: &Chain) -> Outcome {
    if chain.policy.as_deref() == Some("DROP") { Outcome::Dropped } else { Outcome::Kept }
}

fn met(meaning: &Meaning, packet: &Packet, node: &Node) -> Result<bool, Missing> {
    if meaning.source.is_some_and(|source| !source.contains(packet.source))
        || meaning.destination.is_some_and(|destination| !destination.contains(packet.destination))
    {
        return Ok(false);
    }
    if !meaning.others.is_empty() {
        return Err(Missing::Expression(meaning.others.join(" ")));
    }
    if meaning.not_local {
        return node.is_local(packet.destination).map(|local| !local).ok_or(Missing::LocalAddresses);
    }
    Ok(true)
}
