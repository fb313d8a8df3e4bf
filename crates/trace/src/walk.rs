//! One flow, one way: from its sender to whoever answers, and back.
//!
//! The walk alternates between nodes ([`node`]) and the fabric between them ([`fabric`]) until somebody takes the packet. The answer takes
//! the same road from the other end; who rewrote the request undoes it there.

use crate::answer::{Decision, Direction, Missing, Owner, Trace, Verdict};
use crate::ask::Flow;
use crate::explore::{Choices, every_way};
use crate::fabric::{self, Entry};
use crate::node::{self, Endpoint, Exit, Machine, Process, Sender, Serving, Via};
use crate::origin::{Kind, Origin};
use crate::outcome::{self, Walked};
use crate::story::{Keeper, Story, reversed};
use crate::target::Target;
use crate::world::{Holder, World};
use causeway_addr::Family;
use causeway_dataplane::packet::{Packet, Protocol};
use causeway_model::design::*;
use std::net::IpAddr;

/// The port senders use: the first of those Linux gives out by itself.
const SENDER_PORT: u16 = 32_768;

/// Every way of a flow, as one answer.
pub(crate) fn between<'a>(
    world: &World<'a>,
    origin: &Origin<'a>,
    source: IpAddr,
    target: &Target<'a>,
    flow: &Flow,
) -> Trace {
    let has_ports = matches!(flow.protocol, Protocol::Tcp | Protocol::Udp | Protocol::Sctp);
    let packet = Packet {
        source,
        destination: target.address,
        protocol: flow.protocol,
        source_port: if has_ports || flow.protocol == Protocol::Icmp { SENDER_PORT } else { 0 },
        destination_port: target.port.unwrap_or(flow.port),
    };
    let (ways, more) = every_way(|choices| one_way(world, origin, packet, target, flow, choices));
    // One way at least was walked.
    outcome::together(ways, more, "endpoints and nodes").unwrap_or_else(|| unreachable_way(origin, packet, target))
}

/// What no walk comes to: said rather than assumed.
fn unreachable_way(origin: &Origin, packet: Packet, target: &Target) -> Trace {
    let mut story = Story::default();
    story.lacks(Missing::new("what becomes of the flow", "ask about it from another end"));
    outcome::settle(walked(origin, packet, target), story)
}

fn walked(origin: &Origin, packet: Packet, target: &Target) -> Walked {
    Walked {
        from: origin.words.clone(),
        to: target.words.clone(),
        sent: packet,
        sender_node: None,
        left_node: None,
        snat_by: None,
        governed_by: None,
        received: None,
    }
}

/// Who has the packet at the end of its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taker<'a> {
    /// Somebody on a node: a pod, or the node itself.
    OnNode(Sender<'a>),
    /// A machine of a virtual network.
    Machine(&'a NetworkName, Option<&'a SubnetName>, Option<Holder<'a>>),
    /// A machine of a site.
    Site(&'a NetworkName, Option<Holder<'a>>),
    /// A machine on the internet.
    Internet(Option<Holder<'a>>),
    /// A service of the platform, which answers whoever it let ask.
    Platform,
}

pub(crate) struct Walk<'w, 'a, 'c> {
    pub(crate) world: &'w World<'a>,
    pub(crate) story: Story,
    pub(crate) choices: &'c mut Choices,
    /// Nobody is no receiver.
    pub(crate) strict: bool,
    /// Stretches walked so far.
    pub(crate) stretches: usize,
    /// Addresses that stand for nodes or pods nobody named.
    pub(crate) stand_ins: Vec<(IpAddr, Sender<'a>)>,
    /// The cluster whose public API server is asked for.
    pub(crate) api_server: Option<&'a ClusterName>,
}

fn one_way<'a>(
    world: &World<'a>,
    origin: &Origin<'a>,
    packet: Packet,
    target: &Target<'a>,
    flow: &Flow,
    choices: &mut Choices,
) -> Trace {
    let mut walk = Walk {
        world,
        story: Story::default(),
        choices,
        strict: flow.strict,
        stretches: 0,
        stand_ins: stand_ins(world, origin, packet, target),
        api_server: target.api_server,
    };
    for note in origin.notes.iter().chain(&target.note) {
        walk.story.note(note.clone());
    }
    let mut known = walked(origin, packet, target);
    let end = walk.there(origin, packet, &mut known);
    walk.story.doubted_on_the_way = !walk.story.missing.is_empty();
    if let Some((taker, received)) = end {
        known.received = Some(received);
        walk.is_meant(target, &taker, &received);
        walk.back(origin, taker, received, packet);
    }
    outcome::settle(known, walk.story)
}

impl<'a> Walk<'_, 'a, '_> {
    /// The way there: whoever takes the packet, and the packet as it is then.
    fn there(&mut self, origin: &Origin<'a>, packet: Packet, known: &mut Walked) -> Option<(Taker<'a>, Packet)> {
        let direction = Direction::Forward;
        match origin.kind {
            Kind::OnNode(sender) => {
                let family = Family::of(packet.source);
                known.sender_node = sender.machine.address(self.world, family).map(|(address, _)| address);
                let chosen = self.choose(&sender.machine, true, &packet)?;
                let (end, serving) = chosen.unzip();
                let served = (end.as_ref(), serving.as_ref());
                let exit = node::leave_served(self.world, &mut self.story, direction, &sender, packet, served);
                let denied = self.story.kept_by_sender;
                known.snat_by = Some(self.snat_by(&sender.machine));
                match &exit {
                    Exit::Fabric { packet, entry } | Exit::Peer { packet, entry, .. } => {
                        known.left_node = Some(*packet).filter(|_| !denied);
                        known.governed_by = entry.subnet.map(|subnet| reference(entry.network, subnet));
                    }
                    _ => {}
                }
                self.on(direction, &sender.machine, exit)
            }
            Kind::Machine(network, who) => {
                known.snat_by = Some(Owner::None);
                let subnet = self.world.network(network).and_then(|view| view.subnet_of(packet.source));
                let subnet = subnet.map(|(name, _)| name);
                known.governed_by = subnet.map(|subnet| reference(network, subnet));
                self.carry(direction, Entry { network, subnet, who, pool: None }, packet)
            }
            Kind::Site(network, who) => {
                known.snat_by = Some(Owner::None);
                self.out_of_site(direction, network, who, packet)
            }
            Kind::Internet(who) => {
                known.snat_by = Some(Owner::None);
                self.in_from_internet(direction, who, packet)
            }
        }
    }

    /// The answer, from whoever took the request to who asked.
    fn back(&mut self, origin: &Origin<'a>, taker: Taker<'a>, received: Packet, asked: Packet) {
        let direction = Direction::Reply;
        self.stretches = 0;
        let answer = reversed(&received);
        let end = match taker {
            Taker::OnNode(sender) => {
                let exit = node::leave(self.world, &mut self.story, direction, &sender, answer, None);
                self.on(direction, &sender.machine, exit)
            }
            Taker::Machine(network, subnet, who) => {
                self.carry(direction, Entry { network, subnet, who, pool: None }, answer)
            }
            Taker::Site(network, who) => self.out_of_site(direction, network, who, answer),
            Taker::Internet(who) => self.in_from_internet(direction, who, answer),
            // It answers where it was asked from: what it let in it answers.
            Taker::Platform => return self.answered_by_platform(origin, answer, asked),
        };
        self.half_seen(received);
        let lost_already = self.story.obstacles.iter().any(|obstacle| obstacle.direction == Direction::Reply);
        let arrived = end.is_some_and(|(_, packet)| packet == reversed(&asked));
        if !arrived && !lost_already && self.story.missing.is_empty() {
            let decision = Decision::new(
                Owner::None,
                "",
                match end {
                    Some((_, packet)) => format!(
                        "the answer arrives at {} from {} port {}, where {} asked {}",
                        packet.destination, packet.source, packet.source_port, origin.words, asked.destination
                    ),
                    None => format!("the answer does not find its way back to {}", origin.words),
                },
            );
            let fix = "make the answer take the way of the request, or translate the source of the request on its way";
            self.story.obstacle(direction, Verdict::ReplyLost, decision, fix);
        }
    }

    /// A stateful appliance that saw the request and not its answer drops what follows; of datagrams it keeps no such account.
    fn half_seen(&mut self, received: Packet) {
        if !matches!(received.protocol, Protocol::Tcp | Protocol::Sctp) || !self.story.missing.is_empty() {
            return;
        }
        let stopped = |obstacle: &crate::answer::Obstacle| obstacle.direction == Direction::Reply;
        if self.story.obstacles.iter().any(stopped) {
            return;
        }
        let half = self
            .story
            .passed
            .iter()
            .map(|passed| passed.keeper.clone())
            .filter(|keeper| matches!(keeper, Keeper::Appliance(_)) && !self.story.answered.contains(keeper));
        for keeper in half.collect::<Vec<_>>() {
            let Keeper::Appliance(name) = &keeper else { continue };
            let because = format!(
                "firewall `{name}` saw the request and not its answer, which took another way: it drops the next packet"
            );
            let owner = self.world.design.firewalls.get(name).map_or(Owner::Nva, fabric::owner_of_appliance);
            let fix = "lead both directions over the firewall, or neither; or have it translate the source";
            let decision = Decision::new(owner, format!("firewalls.{name}"), because);
            self.story.obstacle(Direction::Reply, Verdict::AsymmetricDrop, decision, fix);
        }
    }

    /// Who rewrote the source on a node, as far as the story goes.
    fn snat_by(&self, machine: &Machine) -> Owner {
        let keeper = machine.keeper();
        let rewrote = |rewrite: &&crate::story::Rewrite| {
            rewrite.keeper == keeper && rewrite.before.source != rewrite.after.source
        };
        self.story.rewrites.iter().rev().find(rewrote).map_or(Owner::None, |rewrite| rewrite.by)
    }

    /// Where service translation sends a packet this time; `None` = nowhere at all.
    fn choose(
        &mut self,
        machine: &Machine<'a>,
        inside: bool,
        packet: &Packet,
    ) -> Option<Option<(Endpoint<'a>, Serving)>> {
        let (choices, serving) = node::served_choices(self.world, machine, inside, packet);
        match choices {
            node::Choices::NotAService => Some(None),
            node::Choices::Endpoints(ends) => {
                let chosen = self.choices.pick(ends.len());
                Some(ends.get(chosen).copied().zip(serving))
            }
            node::Choices::NoEndpoints(decision) => {
                let fix = "start a pod the service selects, or correct its selector and port";
                let words = machine.words();
                let (owner, object) = (decision.owner, decision.object.clone());
                self.story.hop(Direction::Forward, words, "refused", (owner, object), *packet, *packet);
                self.story.obstacle(Direction::Forward, Verdict::Dropped, decision, fix);
                None
            }
            node::Choices::Unknown(missing) => {
                self.story.lacks(missing);
                None
            }
        }
    }

    /// Goes on from a node.
    fn on(&mut self, direction: Direction, machine: &Machine<'a>, exit: Exit<'a>) -> Option<(Taker<'a>, Packet)> {
        if !self.may_go_on(direction) {
            return None;
        }
        // Nobody describes who stands for others: they are known by their address.
        if let Exit::Fabric { packet, .. } | Exit::Peer { packet, .. } = &exit
            && let Some(sender) = self.stands_for(packet.destination)
        {
            if sender.machine.keeper() == machine.keeper() {
                return Some((Taker::OnNode(sender), *packet));
            }
            if let Exit::Peer { packet, entry, via: Via::Overlay, .. } = &exit {
                let there = sender.machine.entry(self.world, packet.family());
                fabric::between_nodes(self.world, &mut self.story, direction, *entry, there, packet);
                return self.at_node(direction, &sender.machine, *packet);
            }
        }
        match exit {
            Exit::Fabric { packet, entry } => {
                if direction == Direction::Forward {
                    self.is_somewhere(packet.destination);
                }
                self.carry(direction, entry, packet)
            }
            // The subnet's route table carries pods of kubenet, as it is: nobody else does.
            Exit::Peer { packet, via: Via::RouteTable, entry, .. } => self.carry(direction, entry, packet),
            Exit::Peer { packet, via: Via::Overlay, node, pod, entry } => {
                let there = match (node, pod) {
                    (Some(node), _) => Machine::named(self.world, machine.cluster, node),
                    (None, Some(pod)) => Machine::of_pod(self.world, machine.cluster, pod),
                    (None, None) => Machine { cluster: machine.cluster, pool: None, node: None, of: None },
                };
                fabric::between_nodes(
                    self.world,
                    &mut self.story,
                    direction,
                    entry,
                    there.entry(self.world, packet.family()),
                    &packet,
                );
                self.at_node(direction, &there, packet)
            }
            Exit::Pod { packet, pod } => {
                let process = Process::Pod(pod);
                Some((Taker::OnNode(Sender { machine: *machine, process }), packet))
            }
            Exit::Node { packet } => {
                Some((Taker::OnNode(Sender { machine: *machine, process: Process::Host }), packet))
            }
            Exit::Nowhere => None,
        }
    }

    /// A packet arrives at a node.
    pub(crate) fn at_node(
        &mut self,
        direction: Direction,
        machine: &Machine<'a>,
        packet: Packet,
    ) -> Option<(Taker<'a>, Packet)> {
        let chosen = match direction {
            Direction::Forward => self.choose(machine, false, &packet)?,
            Direction::Reply => None,
        };
        let (end, serving) = chosen.unzip();
        let served = (end.as_ref(), serving.as_ref());
        let exit = node::arrive_served(self.world, &mut self.story, direction, machine, packet, served);
        self.on(direction, machine, exit)
    }

    fn carry(&mut self, direction: Direction, entry: Entry<'a>, packet: Packet) -> Option<(Taker<'a>, Packet)> {
        let (arrival, packet) = fabric::carry(self.world, &mut self.story, direction, entry, packet);
        self.arrived(direction, arrival, packet)
    }

    fn out_of_site(
        &mut self,
        direction: Direction,
        site: &'a NetworkName,
        who: Option<Holder<'a>>,
        packet: Packet,
    ) -> Option<(Taker<'a>, Packet)> {
        if direction == Direction::Forward {
            self.is_somewhere(packet.destination);
        }
        let (arrival, packet) = fabric::from_site(self.world, &mut self.story, direction, site, who, packet);
        self.arrived(direction, arrival, packet)
    }

    pub(crate) fn in_from_internet(
        &mut self,
        direction: Direction,
        who: Option<Holder<'a>>,
        packet: Packet,
    ) -> Option<(Taker<'a>, Packet)> {
        let (arrival, packet) = fabric::from_internet(self.world, &mut self.story, direction, who, packet);
        self.arrived(direction, arrival, packet)
    }

    /// The platform answers to the interface that asked: the answer is there, and what the node did is undone.
    fn answered_by_platform(&mut self, origin: &Origin<'a>, answer: Packet, asked: Packet) {
        let direction = Direction::Reply;
        let before = answer;
        self.story.hop(
            direction,
            "platform",
            "answers to the interface that asked",
            (Owner::Platform, ""),
            before,
            answer,
        );
        if let Kind::OnNode(sender) = &origin.kind {
            let exit = node::arrive(self.world, &mut self.story, direction, &sender.machine, answer, None);
            let end = self.on(direction, &sender.machine, exit);
            if end.is_none_or(|(_, packet)| packet != reversed(&asked)) && self.story.missing.is_empty() {
                let because = format!("the answer of the platform does not come back to {}", origin.words);
                let fix = "let the node translate the source of packets to addresses of the platform";
                let decision = Decision::new(Owner::Platform, "", because);
                self.story.obstacle(direction, Verdict::ReplyLost, decision, fix);
            }
        }
    }
}

/// Who stands for whom: the sender, its node, and the receiver, where nobody described them.
fn stand_ins<'a>(
    world: &World<'a>,
    origin: &Origin<'a>,
    packet: Packet,
    target: &Target<'a>,
) -> Vec<(IpAddr, Sender<'a>)> {
    let mut out = Vec::new();
    let mut add = |sender: &Sender<'a>, address: IpAddr| {
        out.push((address, *sender));
        if let Some((own, true)) = sender.machine.address(world, Family::of(address)) {
            out.push((own, Sender { process: Process::Host, ..*sender }));
        }
    };
    if let Kind::OnNode(sender) = &origin.kind {
        match sender.process {
            Process::Pod(Some(pod)) if !pod.ips.is_empty() => {}
            Process::Host if sender.machine.node.is_some() => {}
            _ => add(sender, packet.source),
        }
    }
    if let Some(sender) = &target.stands_for {
        add(sender, target.address);
    }
    out
}

/// A subnet of a network.
pub(crate) fn reference(network: &NetworkName, subnet: &SubnetName) -> SubnetRef {
    SubnetRef { network: network.clone(), subnet: subnet.clone() }
}
