//! What a name's resolution does to the flow: a name that does not exist, that leads to a path its service refuses, or whose servers can't
//! be asked leads nowhere, whatever the network would carry.

mod policies;

use crate::answer::{Decision, Direction, Missing, Obstacle, Owner, Trace, Verdict};
use crate::ask::Flow;
use crate::names::{Answer, NameVerdict, Querier, Query};
use crate::node::{Process, Sender};
use crate::origin::{Kind, Origin, origin};
use crate::target::Target;
use crate::walk;
use crate::who::Party;
use crate::world::World;
use causeway_addr::Family;
use causeway_model::design::*;

/// Stops a flow whose name leads nowhere, or to where its service does not answer.
pub(crate) fn judge(answer: &Answer, way: &mut Trace) {
    let name = &answer.name;
    let (because, otherwise) = match answer.verdict {
        NameVerdict::Nxdomain => (
            format!("`{name}` does not exist for who asks"),
            "ask for a name that this sender's servers know, or add the record".to_owned(),
        ),
        NameVerdict::NoAnswer => {
            let why = answer.steps.last().map_or_else(String::new, |step| format!(": {}: {}", step.asked, step.said));
            (format!("nobody answers for `{name}`{why}"), "have the servers forward it to one that answers".to_owned())
        }
        NameVerdict::ResolvesPublic if answer.public_access_disabled == Some(true) => (
            format!("`{name}` leads to the public address, and the service refuses the public path"),
            "let the name lead to its private endpoint, or enable the public path".to_owned(),
        ),
        NameVerdict::ResolvesPublic => {
            way.notes.extend(answer.remedy.as_ref().map(|remedy| format!("{}: {}", remedy.because, remedy.fix)));
            return;
        }
        NameVerdict::ResolvesPrivate | NameVerdict::Uncertain => return,
    };
    let (object, because, fix) = match &answer.remedy {
        Some(remedy) => (remedy.object.clone(), format!("{because}: {}", remedy.because), remedy.fix.clone()),
        None => (answer.authority.clone(), because, otherwise),
    };
    let decision = Decision::new(Owner::Platform, object, because);
    let obstacle = Obstacle {
        direction: Direction::Forward,
        verdict: Verdict::Dropped,
        decision: decision.clone(),
        fix,
        firm: true,
        met: way.forward.len(),
    };
    // What stopped it before the answer of the service stays the verdict.
    if !matches!(way.verdict, Verdict::Dropped | Verdict::DeniedByPolicy) || way.decided_by.is_none() {
        way.verdict = Verdict::Dropped;
        way.decided_by = Some(decision);
    }
    way.source_seen = None;
    way.obstacles.push(obstacle);
}

/// Walks every query of an answer, and has what stops one stop the flow.
pub(crate) fn ask_servers<'a>(world: &World<'a>, from: &Origin<'a>, answer: &Answer, way: &mut Trace) {
    match policies::stop(world, from, answer) {
        Some(Ok(decision)) => {
            let fix =
                "allow egress to the cluster's DNS on udp/53 and tcp/53; with LocalDNS to `169.254.10.0/24` as well";
            let obstacle = Obstacle {
                direction: Direction::Forward,
                verdict: Verdict::DeniedByPolicy,
                decision: decision.clone(),
                fix: fix.to_owned(),
                firm: true,
                met: 0,
            };
            way.verdict = Verdict::DeniedByPolicy;
            way.source_seen = None;
            way.decided_by = Some(decision);
            way.obstacles.insert(0, obstacle);
            return;
        }
        Some(Err(missing)) => unsure(way, missing),
        None => {}
    }
    // Where several servers give the same answer the first that can be asked is enough.
    let tried = answer.queries.iter().map(|queries| {
        queries.iter().filter_map(|query| Some((query, walked(world, from, query)?))).collect::<Vec<_>>()
    });
    let tried: Vec<Vec<(&Query, Trace)>> = tried.collect();
    let works = |walks: &Vec<(&Query, Trace)>| walks.iter().all(|(_, walk)| walk.verdict == Verdict::Delivered);
    let Some(first) = tried.first().filter(|_| !tried.iter().any(works)) else { return };
    let stopped = first.iter().find(|(_, walk)| walk.verdict != Verdict::Delivered);
    if let Some((query, walk)) = stopped {
        way.notes.push(format!("`{}` can't be asked of {}: {}", answer.name, query.server, walk.verdict));
        way.verdict = walk.verdict;
        way.source_seen = None;
        for obstacle in walk.obstacles.iter().rev() {
            way.obstacles.insert(0, obstacle.clone());
        }
        for missing in &walk.missing {
            unsure(way, missing.clone());
        }
        way.decided_by.clone_from(&walk.decided_by);
    }
}

/// What is not known of the asking leaves open only what would have arrived.
fn unsure(way: &mut Trace, missing: Missing) {
    if way.verdict == Verdict::Delivered {
        way.verdict = Verdict::Uncertain;
    }
    if !way.missing.contains(&missing) {
        way.missing.push(missing);
    }
}

/// The walk of a query; `None` = there is nobody to walk it from, or it never leaves whoever asks.
fn walked<'a>(world: &World<'a>, from: &Origin<'a>, query: &Query) -> Option<Trace> {
    let sender = match &query.from {
        Querier::Asker => from.clone(),
        Querier::LocalDns(_) => on_node_of(from)?,
        Querier::CoreDns(cluster) => cluster_dns(world, cluster)?,
        Querier::Host(name) => {
            let (name, host) = world.design.hosts.get_key_value(name)?;
            origin(world, &Party::Host(name, host), &Party::Internet).ok()?
        }
    };
    // The cluster's DNS is there in every cluster, whether its service is described or not.
    if let Kind::OnNode(sender) = &sender.kind {
        let view = world.cluster(sender.machine.cluster)?;
        let described = view.is_served(query.server);
        if view.cluster.service_cidrs.iter().any(|range| range.contains(query.server)) && !described {
            return None;
        }
        let local =
            causeway_model::facts::special::LINK_LOCAL.contains(query.server) && sender.process != Process::Host;
        if local {
            return None;
        }
    }
    let family = Family::of(query.server);
    let source = sender.addresses.iter().copied().find(|address| Family::of(*address) == family)?;
    let flow = Flow { protocol: query.protocol, port: 53, family: None, strict: false };
    let target = Target::new(query.server, format!("DNS server {}", query.server));
    Some(walk::between(world, &sender, source, &target, &flow))
}

fn on_node_of<'a>(from: &Origin<'a>) -> Option<Origin<'a>> {
    let Kind::OnNode(sender) = from.kind else { return None };
    let kind = Kind::OnNode(Sender { process: Process::Host, ..sender });
    Some(Origin { kind, ..from.clone() })
}

/// A pod of the cluster's DNS, else any pod of its first system pool.
fn cluster_dns<'a>(world: &World<'a>, cluster: &ClusterName) -> Option<Origin<'a>> {
    let (name, value) = world.design.clusters.get_key_value(cluster)?;
    if let Some(pod) = value.pods.iter().find(|pod| policies::is_dns(pod)) {
        return origin(world, &Party::Pod(name, pod), &Party::Internet).ok();
    }
    let system = value.pools.iter().find(|(_, pool)| pool.system == Some(true)).or_else(|| value.pools.iter().next());
    let (pool, _) = system?;
    origin(world, &Party::PoolPod(name, pool), &Party::Internet).ok()
}
