//! What is asked, and the answer.

use crate::answer::{Missing, Trace, Verdict};
use crate::asking;
use crate::names;
use crate::origin::{NoOrigin, Origin, origin};
use crate::outcome;
use crate::target::{self, NoTarget, Target};
use crate::walk;
use crate::who::{Party, party, split_port};
use crate::world::World;
use causeway_addr::Family;
use causeway_dataplane::packet::Protocol;
use std::net::IpAddr;

/// A flow somebody asks about, in their words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Question {
    /// WHO: `pod/NS/NAME`, `node/NAME`, `host/NAME`, `pool/CLUSTER/NAME`, `apiServer/CLUSTER`, `internet`, an address; with several clusters
    /// `CLUSTER/` goes in front.
    pub from: String,
    /// WHERE, `:PORT` behind it where one is meant: the same, `service/NS/NAME`, `privateEndpoint/NAME`, or a DNS name.
    pub to: String,
    /// The destination port; `None` = the one in `to`, else the only one the receiver is known to listen on.
    pub port: Option<u16>,
    /// The transport protocol; `None` = TCP, or the one of the only port the receiver is known to listen on.
    pub protocol: Option<Protocol>,
    /// The address family; `None` = the first that both ends have, IPv4 before IPv6.
    pub family: Option<Family>,
    /// An address that nobody is known to hold is no receiver.
    pub strict: bool,
}

/// A question that can't be asked: a name nobody has, a port nobody could mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unasked {
    /// What is wrong, in the user's words.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

/// What becomes of the flow a question is about.
///
/// # Errors
///
/// The question can't be asked as it is.
pub fn ask(world: &World, question: &Question) -> Result<Trace, Unasked> {
    let (word, typed) = split_port(&question.to)?;
    let to = party(world, word)?;
    let from = party(world, &question.from)?;
    let (protocol, port, assumed) = target::port(question, &to, typed)?;
    let origin = match origin(world, &from, &to) {
        Ok(origin) => origin,
        Err(NoOrigin::Unasked(unasked)) => return Err(unasked),
        Err(NoOrigin::Missing(missing)) => return Ok(unanswered(question, missing)),
    };
    let flow = Flow { protocol, port, family: question.family, strict: question.strict };
    let mut answer = match &to {
        Party::Name(name) => by_name(world, question, (&from, &origin), name, &flow)?,
        _ => match target::targets(world, &to, origin.asker(), (protocol, port)) {
            Ok(targets) => to_targets(world, question, &origin, &targets, &flow)?,
            Err(NoTarget::Unasked(unasked)) => return Err(unasked),
            Err(NoTarget::Missing(missing)) => unanswered(question, missing),
        },
    };
    answer.notes.extend(assumed);
    answer.from.clone_from(&question.from);
    answer.to.clone_from(&question.to);
    Ok(answer)
}

/// What is asked of every way of a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Flow {
    /// The protocol.
    pub(crate) protocol: Protocol,
    /// The port; 0 where the protocol has none.
    pub(crate) port: u16,
    /// The family asked for.
    pub(crate) family: Option<Family>,
    /// Nobody is no receiver.
    pub(crate) strict: bool,
}

/// The name is resolved as the sender would, and every answer it may get is walked to.
fn by_name<'a>(
    world: &World<'a>,
    question: &Question,
    (from, origin): (&Party<'a>, &Origin<'a>),
    name: &str,
    flow: &Flow,
) -> Result<Trace, Unasked> {
    let Some(asker) = names::Asker::of(world, from) else {
        let how = "ask from a pod, a node, a host or an address of a network";
        return Ok(unanswered(question, Missing::new(format!("where {} asks for names", origin.words), how)));
    };
    let answers = names::resolve(world, asker, name);
    let mut ways = Vec::new();
    for resolved in &answers {
        let at = |address: &IpAddr| {
            let found = target::targets(world, &Party::Address(*address), origin.asker(), (flow.protocol, flow.port));
            found.unwrap_or_else(|_| vec![Target::new(*address, name)])
        };
        let targets: Vec<Target> = resolved.addresses.iter().flat_map(at).collect();
        let mut way = if targets.is_empty() {
            let mut way = unanswered(question, Missing::new(format!("an address for `{name}`"), "see its resolution"));
            way.missing.clone_from(&resolved.missing);
            way
        } else {
            to_targets(world, question, origin, &targets, flow)?
        };
        for missing in &resolved.missing {
            if !way.missing.contains(missing) {
                way.missing.push(missing.clone());
                way.verdict = Verdict::Uncertain;
            }
        }
        asking::judge(resolved, &mut way);
        asking::ask_servers(world, origin, resolved, &mut way);
        way.resolution = Some(resolved.clone());
        ways.push(way);
    }
    let nothing =
        || unanswered(question, Missing::new(format!("an address for `{name}`"), "describe its zone or name"));
    let mut whole = outcome::together(ways, false, "answers of the name").unwrap_or_else(nothing);
    whole.resolutions = answers;
    Ok(whole)
}

/// Walks to each address of a family both ends have.
fn to_targets<'a>(
    world: &World<'a>,
    question: &Question,
    origin: &Origin<'a>,
    targets: &[Target<'a>],
    flow: &Flow,
) -> Result<Trace, Unasked> {
    let source = |family: Family| origin.addresses.iter().copied().find(|address| Family::of(*address) == family);
    let both = |family: &Family| {
        source(*family).is_some() && targets.iter().any(|target| Family::of(target.address) == *family)
    };
    let family = match flow.family {
        Some(asked) if both(&asked) => asked,
        Some(asked) => {
            return Err(Unasked {
                message: format!("`{}` and `{}` do not both have an {asked} address", question.from, question.to),
                help: Some("leave `--family` out, or give the addresses".to_owned()),
            });
        }
        None => match Family::ALL.into_iter().find(both) {
            Some(family) => family,
            None if origin.addresses.is_empty() => {
                let missing = Missing::new(
                    format!("the address of {}", origin.words),
                    "write its address in the design, or import it as it runs",
                );
                return Ok(unanswered(question, missing));
            }
            None => {
                return Err(Unasked {
                    message: format!("`{}` and `{}` have no address family in common", question.from, question.to),
                    help: None,
                });
            }
        },
    };
    let Some(source) = source(family) else {
        return Ok(unanswered(question, Missing::new("the sender's address", "write it in the design")));
    };
    let mut ways = Vec::new();
    for target in targets.iter().filter(|target| Family::of(target.address) == family) {
        ways.push(walk::between(world, origin, source, target, flow));
    }
    let nobody = || unanswered(question, Missing::new("the receiver's address", "write it in the design"));
    Ok(outcome::together(ways, false, "addresses of the receiver").unwrap_or_else(nobody))
}

/// There is no packet to follow.
fn unanswered(question: &Question, missing: Missing) -> Trace {
    Trace {
        from: question.from.clone(),
        to: question.to.clone(),
        sent: None,
        sender_node: None,
        verdict: Verdict::Uncertain,
        source_seen: None,
        source_leaving_node: None,
        snat_by: None,
        dnat_to: None,
        governed_by_subnet: None,
        decided_by: None,
        forward: Vec::new(),
        reply: Vec::new(),
        obstacles: Vec::new(),
        missing: vec![missing],
        notes: Vec::new(),
        resolution: None,
        resolutions: Vec::new(),
        idle_timeout_seconds: None,
        mtu: None,
        ways: Vec::new(),
    }
}
