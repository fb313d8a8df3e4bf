//! Translation of the source, as the node's own rules say.

use super::services::{Serving, node_of};
use super::{Machine, Process};
use crate::answer::{Decision, Direction, Missing, Owner, Verdict};
use crate::observed::Dump;
use crate::story::Story;
use crate::translation::{Effective, Exemption, Translation};
use crate::world::{ClusterView, World};
use causeway_addr::Cidr;
use causeway_dataplane::evaluate::{Known, Outcome, through};
use causeway_dataplane::iptables::{Rule, observe};
use causeway_dataplane::packet::{Packet, Protocol};
use causeway_dataplane::ruleset::Hook;
use causeway_dataplane::{cni, masquerade, services};
use causeway_model::design::*;
use causeway_model::facts::special;
use std::net::IpAddr;

/// A packet at the end of its way through a node.
pub(super) struct Leaving<'w, 'a> {
    pub(super) world: &'w World<'a>,
    pub(super) view: &'w ClusterView<'a>,
    pub(super) machine: &'w Machine<'a>,
    /// Who sends it; `None` = it is passing through.
    pub(super) process: Option<Process<'a>>,
    /// What a service did to it before.
    pub(super) serving: Option<&'w Serving>,
    /// It goes to a pod of this node.
    pub(super) near: bool,
}

impl Leaving<'_, '_> {
    fn is_platform(packet: &Packet) -> bool {
        [special::PLATFORM_DNS.value, special::METADATA.value].map(IpAddr::V4).contains(&packet.destination)
    }

    fn cluster_path(&self) -> String {
        format!("clusters.{}", self.machine.cluster)
    }

    fn of_pod(&self) -> bool {
        matches!(self.process, Some(Process::Pod(_)))
    }

    /// What the CNI drops of what passes through.
    pub(super) fn block(&self, story: &mut Story, packet: &Packet) {
        if !self.of_pod() || !Self::is_platform(packet) || self.machine.mode(self.view) == Some(Mode::Byo) {
            return;
        }
        let rules = cni::compile(&cni::Settings { blocks: true, ..cni::Settings::default() });
        let fate = through(&[&rules], Hook::Forward, packet, &node_of(self.world, self.machine), Known::default());
        if fate.outcome == Outcome::Dropped {
            let because = "nodes drop what pods send to the platform's goal-state service";
            let decision = Decision::new(Owner::Cni, self.cluster_path(), because);
            story.obstacle(
                Direction::Forward,
                Verdict::Dropped,
                decision,
                "pods have no business there: ask from a node",
            );
        }
    }

    /// The packet as it leaves the node.
    pub(super) fn translate(&self, story: &mut Story, packet: Packet) -> Packet {
        let node = node_of(self.world, self.machine);
        let cni = self.cni(&packet).map(|settings| cni::compile(&settings));
        let translation = self.view.translation();
        // Packets of the node itself have its address already.
        let asks_agent = self.process != Some(Process::Host) && !self.is_windows();
        let mut rules = Vec::with_capacity(3);
        rules.extend(self.serving.map(|serving| &serving.rules));
        rules.extend(&cni);
        if asks_agent && self.is_followed(translation.known(), &packet) {
            rules.extend(self.view.masquerade());
        }
        let known = self.serving.map_or(Known::default(), |serving| serving.known);
        let fate = through(&rules, Hook::Postrouting, &packet, &node, known);
        if let Some(dump) = self.world.observed(self.machine.node, packet.family()).filter(|_| !self.is_windows()) {
            return self.observed(story, dump, packet, &fate.outcome, known);
        }
        match (&fate.outcome, fate.packet) {
            (Outcome::Translated { source, .. }, Some(after)) if *source != packet.source => {
                let table = fate.decided_by.map_or("", |place| place.table.name.as_str());
                let (owner, object) = self.owner(table);
                let did = format!("source translated to {source}");
                story.hop(Direction::Forward, self.machine.words(), did, (owner, object), packet, after);
                story.remember(self.machine.keeper(), owner, packet, after);
                if self.machine.address(self.world, packet.family()).is_some_and(|(_, assumed)| assumed) {
                    story.note(format!("the address of {} is not known: {source} stands for it", self.machine.words()));
                }
                return after;
            }
            (Outcome::Uncertain(missing), _) => {
                let how = "give the node with its addresses (`kubectl get nodes -o yaml`), or the pool with its subnet";
                story.lacks(Missing::new(missing.to_string(), how));
                return packet;
            }
            (Outcome::Translated { .. }, _) => return packet,
            _ => {}
        }
        // What arrives at a pod of the node passes the agent's rules as well; why it was spared by them is nobody's question.
        let asked = match translation {
            Effective::Unknown { .. } => self.process != Some(Process::Host),
            Effective::Known(_) => self.of_pod() && !self.near,
        };
        if !asked {
            return packet;
        }
        match translation {
            Effective::Unknown { missing } => {
                for fact in missing {
                    let how = format!("state `{}.masquerade` with its files, and `mode`", self.cluster_path());
                    story.lacks(Missing::new(fact.clone(), how));
                }
            }
            Effective::Known(_) if self.is_windows() && !self.view.in_pod_cidr(packet.destination) => {
                let how = "look at the node itself (`Get-HnsEndpoint`: its OutBoundNAT exceptions)";
                story.lacks(Missing::new("what a Windows node translates", how));
            }
            Effective::Known(translation) => self.kept(story, translation, &packet),
        }
        packet
    }

    /// The packet as the rules of the real machine leave it, and where that is not what the model says.
    fn observed(&self, story: &mut Story, dump: &Dump, packet: Packet, model: &Outcome, known: Known) -> Packet {
        let node = node_of(self.world, self.machine);
        let (outcome, by) = observe(&dump.rules, &packet, &node, known);
        let place = by.map_or("the end of its rules".to_owned(), |(chain, _)| format!("chain `{chain}`"));
        let seen = |outcome: &Outcome| match outcome {
            Outcome::Translated { source, .. } if *source != packet.source => Some(*source),
            _ => None,
        };
        let words = |outcome: &Outcome| match (outcome, seen(outcome)) {
            (Outcome::Uncertain(missing), _) => format!("can't say without {missing}"),
            (Outcome::Dropped, _) => "drops it".to_owned(),
            (_, Some(source)) => format!("translates its source to {source}"),
            (_, None) => "keeps its source".to_owned(),
        };
        let same = words(&outcome) == words(model);
        let (real, assumed, who) = (words(&outcome), words(model), self.machine.words());
        story.note(match same {
            true => format!("what {who} does is as observed: `{}`, {place}", dump.file),
            false => format!("reality and model differ: {who} {real} (`{}`, {place}), the model {assumed}", dump.file),
        });
        match outcome {
            Outcome::Uncertain(missing) => {
                let how = format!("look at what the rule in {place} of `{}` asks for", dump.file);
                story.lacks(Missing::new(missing.to_string(), how));
                packet
            }
            Outcome::Dropped => {
                let because = format!("{place} of `{}` drops it", dump.file);
                let decision = Decision::new(Owner::None, "", because);
                story.obstacle(Direction::Forward, Verdict::Dropped, decision, "change the rules of the node");
                packet
            }
            Outcome::Translated { source, .. } if source != packet.source => {
                let after = Packet { source, ..packet };
                let (owner, object) = self.observed_owner(by);
                let did = format!("source translated to {source}, as `{}` has it", dump.file);
                story.hop(Direction::Forward, self.machine.words(), did, (owner, object), packet, after);
                story.remember(self.machine.keeper(), owner, packet, after);
                after
            }
            _ => {
                if self.of_pod() && !self.near {
                    self.answered(story, None, &packet);
                }
                packet
            }
        }
    }

    /// Whose a chain is, as those who make them call theirs.
    fn observed_owner(&self, by: Option<(&str, &Rule)>) -> (Owner, String) {
        let Some((chain, rule)) = by else { return (Owner::None, String::new()) };
        let comment = rule.meaning().comment.unwrap_or_default();
        let agent = chain.starts_with("IP-MASQ") || comment.starts_with("ip-masq-agent");
        match chain {
            _ if agent => (Owner::IpMasqAgent, format!("{}.masquerade", self.cluster_path())),
            chain if chain.starts_with("KUBE-") => (Owner::KubeProxy, self.cluster_path()),
            chain if chain.starts_with("CILIUM") => (Owner::Cilium, self.cluster_path()),
            _ => (Owner::Cni, self.cluster_path()),
        }
    }

    /// It keeps its source: why, and whether anybody can answer it.
    fn kept(&self, story: &mut Story, translation: &Translation, packet: &Packet) {
        let entry = translation.entries.iter().filter(|entry| entry.cidr.contains(packet.destination));
        let entry = entry.max_by_key(|entry| entry.cidr.prefix_len());
        let path = format!("{}.masquerade", self.cluster_path());
        if let Some(entry) = entry.filter(|_| translation.translates()) {
            let object = entry.origin.object().map_or(path, str::to_owned);
            let did = format!("keeps its source: `{}` is exempt", entry.cidr);
            story.hop(Direction::Forward, self.machine.words(), did, (Owner::None, object), *packet, *packet);
        }
        self.answered(story, entry, packet);
    }

    /// Whether anybody can answer a packet that keeps its source. Between pods of an overlay the platform routes; nobody else knows where
    /// they are. `entry` is the exemption it keeps it for, where one is known.
    fn answered(&self, story: &mut Story, entry: Option<&Exemption>, packet: &Packet) {
        let path = format!("{}.masquerade", self.cluster_path());
        let overlay = self.machine.mode(self.view) == Some(Mode::Overlay) && self.view.in_pod_cidr(packet.source);
        if overlay && !self.view.in_pod_cidr(packet.destination) {
            let because = match entry {
                Some(entry) => format!(
                    "`{}` is exempt, so the packet leaves with the address of the pod, which only the cluster can route: \
                     the answer finds no way back",
                    entry.cidr
                ),
                None => "the packet leaves with the address of the pod, which only the cluster can route: the answer \
                         finds no way back"
                    .to_owned(),
            };
            let object = entry.and_then(|entry| entry.origin.object()).map_or(path, str::to_owned);
            let (owner, _) = self.owner(masquerade::TABLE);
            let mut decision = Decision::new(owner, object, because);
            if let Some(entry) = entry {
                decision = decision.rule(entry.cidr.to_string());
            }
            let fix = match entry {
                Some(entry) => format!("remove `{}` from `nonMasqueradeCIDRs`", entry.cidr),
                None => "let the nodes masquerade what leaves the cluster".to_owned(),
            };
            story.obstacle(Direction::Reply, Verdict::ReplyLost, decision, fix);
        }
    }

    fn is_windows(&self) -> bool {
        self.machine.described_pool(self.view).is_some_and(|pool| pool.os == Os::Windows)
    }

    /// Cilium masquerades only what leaves the node, and only what it can tell answers of: TCP, UDP and ICMP.
    fn is_followed(&self, translation: Option<&Translation>, packet: &Packet) -> bool {
        let cilium = translation.is_some_and(|translation| translation.by == MasqueradeAgent::Cilium);
        !cilium || !self.near && matches!(packet.protocol, Protocol::Tcp | Protocol::Udp | Protocol::Icmp)
    }

    /// What the CNI translates of its own accord, where a packet may meet it.
    fn cni(&self, packet: &Packet) -> Option<cni::Settings> {
        let snats = self.view.translation().known().is_some_and(|translation| translation.platform_snat);
        if !snats || !Self::is_platform(packet) || !self.of_pod() {
            return None;
        }
        let subnet = self.machine.described_pool(self.view)?.pod_subnet.as_ref()?;
        let pods: Vec<Cidr> = self.world.design.subnet(subnet)?.prefixes.clone();
        let node = self.machine.address(self.world, packet.family()).map(|(address, _)| address);
        Some(cni::Settings { pods, node, blocks: false })
    }

    /// Whose a table is, and where that stands in the design.
    fn owner(&self, table: &str) -> (Owner, String) {
        match (table, self.serving) {
            (services::TABLE, Some(serving)) => (serving.owner, serving.object.clone()),
            (cni::TABLE, _) => (Owner::Cni, self.cluster_path()),
            _ => {
                let by = self.view.translation().known().map(|translation| translation.by);
                let owner = match by {
                    Some(MasqueradeAgent::Cilium) => Owner::Cilium,
                    _ => Owner::IpMasqAgent,
                };
                (owner, format!("{}.masquerade", self.cluster_path()))
            }
        }
    }
}
