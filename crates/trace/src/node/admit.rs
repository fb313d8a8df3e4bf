//! What policies say of a packet on a node.

use super::{Machine, Process};
use crate::answer::{Decision, Direction, Missing, Owner, Verdict};
use crate::story::Story;
use crate::world::{ClusterView, World};
use causeway_addr::Family;
use causeway_dataplane::packet::{Packet, Protocol};
use causeway_model::design::{self, Pod};
use causeway_model::policy;
use causeway_policy::{End, Explanation, Flow, Said, Step, Verdict as Says};

/// Whether the policies that select a pod let a packet in, as it is on the pod's node before any translation of its source there.
/// Answers are let in with what they answer.
pub fn admit<'a>(
    world: &World<'a>,
    story: &mut Story,
    direction: Direction,
    machine: &Machine<'a>,
    pod: Option<&'a Pod>,
    packet: &Packet,
) {
    let (Direction::Forward, Some(pod)) = (direction, pod) else { return };
    let Some(view) = world.cluster(machine.cluster) else { return };
    if view.cluster.policies.is_empty() {
        return;
    }
    let index = view.policies();
    let to = End::Pod(pod.namespace.clone(), pod.name.clone());
    let asked = Asked { machine, view, direction: policy::Direction::Ingress, pod };
    asked.ask(story, index.end_of(packet.source), to, packet);
}

/// Whether the policies that select a sender let its packet out, as it is after translation of the destination and before that of the source.
pub(super) fn let_out<'a>(
    world: &World<'a>,
    story: &mut Story,
    machine: &Machine<'a>,
    process: Process<'a>,
    packet: &Packet,
) {
    // Of a pod that stands for others no labels are known: it is one that no policy selects.
    let Process::Pod(Some(pod)) = process else { return };
    let Some(view) = world.cluster(machine.cluster) else { return };
    if view.cluster.policies.is_empty() {
        return;
    }
    let index = view.policies();
    let from = End::Pod(pod.namespace.clone(), pod.name.clone());
    let asked = Asked { machine, view, direction: policy::Direction::Egress, pod };
    asked.ask(story, from, index.end_of(packet.destination), packet);
}

struct Asked<'w, 'a> {
    machine: &'w Machine<'a>,
    view: &'w ClusterView<'a>,
    direction: policy::Direction,
    pod: &'a Pod,
}

impl Asked<'_, '_> {
    fn ask(&self, story: &mut Story, from: End, to: End, packet: &Packet) {
        let lacks = |story: &mut Story, fact: String| {
            story.lacks(Missing::new(
                fact,
                "import the cluster as it runs (`kubectl get pods,namespaces,nodes,networkpolicies -A -o yaml`)",
            ));
        };
        let Some(protocol) = known(packet.protocol) else {
            return lacks(story, format!("what policies make of IP protocol {:?}", packet.protocol));
        };
        let family = Some(Family::of(packet.destination));
        let flow = Flow { from, to, protocol, port: packet.destination_port, family };
        let Some(explained) = self.view.policies().explain(&flow) else {
            return lacks(story, format!("what policies say of pod/{}/{}", self.pod.namespace, self.pod.name));
        };
        let before = story.missing.len();
        match explained.of(self.direction) {
            Says::Allowed => self.allowed(story, &explained, packet),
            Says::Uncertain => {
                for fact in &explained.missing {
                    lacks(story, fact.clone());
                }
                if story.missing.len() == before && before == 0 {
                    lacks(story, format!("what {} policies say of the packet", self.direction.as_str()));
                }
            }
            Says::Denied => self.denied(story, &explained),
        }
    }

    fn step<'e>(&self, explained: &'e Explanation, said: Said) -> Option<&'e Step> {
        explained.steps.iter().rfind(|step| step.direction == self.direction && step.said == said)
    }

    /// Where the policy stands in the design.
    fn object(&self, step: &Step) -> String {
        let path = format!("clusters.{}", self.machine.cluster);
        let Some(id) = &step.policy else { return path };
        let at = self
            .view
            .cluster
            .policies
            .iter()
            .position(|object| object.meaning.as_ref().is_some_and(|meaning| meaning.id == *id));
        at.map_or(path.clone(), |at| format!("{path}.policies.{at}"))
    }

    fn decision(&self, step: &Step) -> Decision {
        let whose = format!("{} of pod/{}/{}", self.direction.as_str(), self.pod.namespace, self.pod.name);
        let because = match &step.policy {
            Some(id) => format!("{whose}: `{id}`: {}", step.because),
            None => format!("{whose}: {}", step.because),
        };
        let decision = Decision::new(Owner::NetworkPolicy, self.object(step), because);
        match (&step.rule_name, step.rule) {
            (Some(name), _) => decision.rule(name.clone()),
            (None, Some(rule)) => decision.rule(format!("{}.{rule}", self.direction.as_str())),
            (None, None) => decision,
        }
    }

    fn allowed(&self, story: &mut Story, explained: &Explanation, packet: &Packet) {
        let Some(step) = self.step(explained, Said::Allowed).filter(|step| step.policy.is_some()) else { return };
        let id = step.policy.as_ref().map(ToString::to_string).unwrap_or_default();
        let did = format!("let through by {} policy `{id}`", self.direction.as_str());
        let at = format!("pod/{}/{}", self.pod.namespace, self.pod.name);
        story.hop(Direction::Forward, at, did, (Owner::NetworkPolicy, self.object(step)), *packet, *packet);
    }

    fn denied(&self, story: &mut Story, explained: &Explanation) {
        let Some(step) = self.step(explained, Said::Denied) else { return };
        let decision = self.decision(step);
        story.kept_by_sender |= self.direction == policy::Direction::Egress;
        if self.view.cluster.network_policy.is_none() {
            story.note("`networkPolicy` is not stated: it is assumed that an engine enforces the cluster's policies");
        }
        let fix = match self.direction {
            policy::Direction::Egress => "allow the destination in an egress rule of a policy that selects the sender",
            policy::Direction::Ingress => {
                "allow the source, as it is seen here, in an ingress rule of a policy that selects the receiver"
            }
        };
        story.obstacle(Direction::Forward, Verdict::DeniedByPolicy, decision, fix);
    }
}

fn known(protocol: Protocol) -> Option<design::Protocol> {
    Some(match protocol {
        Protocol::Tcp => design::Protocol::Tcp,
        Protocol::Udp => design::Protocol::Udp,
        Protocol::Sctp => design::Protocol::Sctp,
        Protocol::Icmp => design::Protocol::Icmp,
        Protocol::Other(50) => design::Protocol::Esp,
        Protocol::Other(51) => design::Protocol::Ah,
        Protocol::Other(_) => return None,
    })
}
