//! How events change the index.

use crate::bits::Bits;
use crate::classes::{At, ClassId, ClassKey, PolicyIx, Who};
use crate::ends::{NodeInfo, PodInfo};
use crate::index::{Holder, Index, Node, Pod, Seat};
use crate::rules::{Compiled, Draft, Rule, RulePeers, Uses, draft};
use crate::sets::{Member, SetId, SetKey, Space};
use crate::words::{Labels, Word};
use causeway_addr::{Cidr, Family};
use causeway_model::policy::{Direction, Policy, PolicyId, PolicyTier};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// The label every namespace has.
const NAME_LABEL: &str = "kubernetes.io/metadata.name";

impl Compiled {
    /// What policies are sorted by.
    pub(crate) fn order(&self) -> (PolicyTier, u32, &PolicyId) {
        (self.source.tier, self.source.priority, &self.source.id)
    }
}

impl Index {
    pub(crate) fn set_namespace(&mut self, name: String, labels: Option<BTreeMap<String, String>>) {
        if self.namespaces.get(&name) == labels.as_ref() {
            return;
        }
        match labels {
            Some(labels) => self.namespaces.insert(name.clone(), labels),
            None => self.namespaces.remove(&name),
        };
        let pods: Vec<String> = self.pods.get(&name).map_or(Vec::new(), |pods| pods.keys().cloned().collect());
        for pod in pods {
            self.reseat_pod(&name, &pod);
        }
    }

    pub(crate) fn set_node(&mut self, info: NodeInfo) {
        let known = self.nodes.get(&info.name);
        if known.is_some_and(|known| known.raw == info.labels && known.ips == info.ips) {
            return;
        }
        if known.is_some() {
            self.drop_node(&info.name);
        }
        let labels = self.words.labels(&info.labels);
        let node = Node { labels, ips: info.ips, seats: Vec::new(), raw: info.labels };
        self.nodes.insert(info.name.clone(), node);
        self.seat_node(&info.name);
        self.reseat_host_pods(&info.name);
    }

    pub(crate) fn remove_node(&mut self, name: &str) {
        self.drop_node(name);
        self.reseat_host_pods(name);
    }

    fn drop_node(&mut self, name: &str) {
        let Some(node) = self.nodes.remove(name) else { return };
        for (ip, seat) in node.seats {
            if matches!(self.addresses.get(&ip), Some((Holder::Node(known), _)) if known == name) {
                self.addresses.remove(&ip);
            }
            self.release(seat.class);
        }
    }

    fn seat_node(&mut self, name: &str) {
        let Some(node) = self.nodes.get(name) else { return };
        let (ips, labels) = (node.ips.clone(), asked(&node.labels, &self.node_keys));
        let word = self.words.of(name);
        let mut seats = Vec::new();
        for ip in ips {
            let key = ClassKey { who: Who::Node { labels: labels.clone() }, at: self.at(ip) };
            let class = self.hold(key);
            let seat = Seat { class, policed: false, on_host: true, node: Some(word) };
            self.addresses.insert(ip, (Holder::Node(name.to_owned()), seat));
            seats.push((ip, seat));
        }
        if let Some(node) = self.nodes.get_mut(name) {
            let old = std::mem::replace(&mut node.seats, seats);
            old.into_iter().for_each(|(_, seat)| self.release(seat.class));
        }
    }

    fn reseat_host_pods(&mut self, node: &str) {
        let on_it = |pod: &&Pod| pod.info.host_network && pod.info.node.as_deref() == Some(node);
        let pods: Vec<(String, String)> = self
            .pods
            .values()
            .flat_map(BTreeMap::values)
            .filter(on_it)
            .map(|pod| (pod.info.namespace.clone(), pod.info.name.clone()))
            .collect();
        for (namespace, name) in pods {
            self.reseat_pod(&namespace, &name);
        }
    }

    pub(crate) fn set_pod(&mut self, info: PodInfo) {
        if self.pod(&info.namespace, &info.name).is_some_and(|known| known.info == info) {
            return;
        }
        let (namespace, name) = (info.namespace.clone(), info.name.clone());
        let labels = self.words.labels(&info.labels);
        let ports = info.ports.iter().map(|(name, (protocol, port))| (self.words.of(name), *protocol, *port)).collect();
        let old = self.pods.entry(namespace.clone()).or_default().remove(&name);
        let seats = old.as_ref().map_or(Vec::new(), |old| old.seats.clone());
        if let Some(old) = old {
            self.forget_addresses(&old.info);
        }
        // Who comes last has the address: the one before is about to go.
        for ip in info.ips.iter().filter(|_| !info.host_network) {
            if matches!(self.addresses.get(ip), Some((Holder::Pod(..), _))) {
                self.addresses.remove(ip);
            }
        }
        let pod = Pod { info, labels, ports, seats };
        self.pods.entry(namespace.clone()).or_default().insert(name.clone(), pod);
        self.reseat_pod(&namespace, &name);
    }

    pub(crate) fn remove_pod(&mut self, namespace: &str, name: &str) {
        let Some(pods) = self.pods.get_mut(namespace) else { return };
        let Some(pod) = pods.remove(name) else { return };
        if pods.is_empty() {
            self.pods.remove(namespace);
        }
        self.forget_addresses(&pod.info);
        pod.seats.iter().for_each(|(_, seat)| self.release(seat.class));
    }

    fn forget_addresses(&mut self, info: &PodInfo) {
        for ip in &info.ips {
            let mine = matches!(self.addresses.get(ip), Some((Holder::Pod(namespace, name), _))
                if *namespace == info.namespace && *name == info.name);
            if mine {
                self.addresses.remove(ip);
            }
        }
    }

    /// Finds a pod its class again. The new one is taken before the old one is given up, so that nothing is made twice.
    pub(crate) fn reseat_pod(&mut self, namespace: &str, name: &str) {
        let seats = self.seats_of_pod(namespace, name);
        let Some(pod) = self.pods.get_mut(namespace).and_then(|pods| pods.get_mut(name)) else { return };
        let taken = seats.clone();
        let old = std::mem::replace(&mut pod.seats, seats);
        let (host, ips) = (pod.info.host_network, pod.info.ips.clone());
        if !host {
            for ip in ips {
                let seat = taken.iter().find(|(family, _)| *family == Family::of(ip)).map(|(_, seat)| *seat);
                // An address somebody else got meanwhile stays theirs.
                let free = match self.addresses.get(&ip) {
                    None => true,
                    Some((Holder::Pod(of, pod), _)) => of == namespace && pod == name,
                    Some((Holder::Node(_), _)) => false,
                };
                if let Some(seat) = seat.filter(|_| free) {
                    self.addresses.insert(ip, (Holder::Pod(namespace.to_owned(), name.to_owned()), seat));
                }
            }
        }
        old.into_iter().for_each(|(_, seat)| self.release(seat.class));
    }

    fn seats_of_pod(&mut self, namespace: &str, name: &str) -> Vec<(Family, Seat)> {
        let Some(pod) = self.pod(namespace, name) else { return Vec::new() };
        let (host, ips, node) = (pod.info.host_network, pod.info.ips.clone(), pod.info.node.clone());
        let word = node.as_ref().map(|node| self.words.of(node));
        if host {
            return self.seats_of_host_pod(node.as_deref(), word, &ips);
        }
        let Some(pod) = self.pod(namespace, name) else { return Vec::new() };
        let labels = asked(&pod.labels, &self.pod_keys);
        let ports: Vec<_> = pod.ports.iter().filter(|(name, ..)| self.port_names.contains_key(name)).copied().collect();
        let space = self.space_of(namespace);
        let who = Who::Pod { space, labels, ports };
        let mut seats: Vec<(Family, Seat)> = Vec::new();
        for at in self.places(&ips) {
            let family = at.family();
            if seats.iter().all(|(known, _)| *known != family) {
                let class = self.hold(ClassKey { who: who.clone(), at });
                seats.push((family, Seat { class, policed: true, on_host: false, node: word }));
            }
        }
        seats
    }

    fn seats_of_host_pod(&mut self, node: Option<&str>, word: Option<Word>, ips: &[IpAddr]) -> Vec<(Family, Seat)> {
        let known = node.and_then(|node| self.nodes.get(node));
        let who = known.map_or(Who::UnknownNode, |node| Who::Node { labels: asked(&node.labels, &self.node_keys) });
        let of_node = known.map(|node| node.ips.clone()).unwrap_or_default();
        let places = self.places(if ips.is_empty() { &of_node } else { ips });
        let mut seats: Vec<(Family, Seat)> = Vec::new();
        for at in places {
            let family = at.family();
            if seats.iter().all(|(known, _)| *known != family) {
                let class = self.hold(ClassKey { who: who.clone(), at });
                seats.push((family, Seat { class, policed: false, on_host: true, node: word }));
            }
        }
        seats
    }

    /// Where addresses lie; without any somewhere in the families pods have.
    fn places(&self, ips: &[IpAddr]) -> Vec<At> {
        if !ips.is_empty() {
            return ips.iter().map(|ip| self.at(*ip)).collect();
        }
        let has = |family: Family| self.pod_ranges.iter().any(|range| range.family() == family);
        let families: Vec<Family> = Family::ALL.into_iter().filter(|family| has(*family)).collect();
        if families.is_empty() {
            vec![At::Somewhere(Family::V4)]
        } else {
            families.into_iter().map(At::Somewhere).collect()
        }
    }

    fn space_of(&mut self, namespace: &str) -> u32 {
        let mut labels = self.namespaces.get(namespace).cloned().unwrap_or_default();
        labels.insert(NAME_LABEL.to_owned(), namespace.to_owned());
        let space = Space { name: self.words.of(namespace), labels: self.words.labels(&labels) };
        if let Some(id) = self.space_ids.get(&space) {
            return *id;
        }
        let id = u32::try_from(self.spaces.len()).unwrap_or(u32::MAX);
        self.spaces.push(space.clone());
        self.space_ids.insert(space, id);
        id
    }

    pub(crate) fn set_policy(&mut self, policy: Policy) {
        let known = self.policy_ids.get(&policy.id).and_then(|at| self.policy(*at));
        if known.is_some_and(|known| known.source == policy) {
            return;
        }
        let id = policy.id.clone();
        let old = self.policy_ids.get(&id).copied();
        let draft = draft(&policy, &self.dialect, &mut self.words);
        // What the new one shares with the old one is never given up in between.
        self.use_all(&draft.uses);
        if let Some(old) = old {
            self.unlink(old);
        }
        self.link(policy, draft);
    }

    pub(crate) fn remove_policy(&mut self, id: &PolicyId) {
        if let Some(at) = self.policy_ids.get(id).copied() {
            self.unlink(at);
        }
    }

    fn link(&mut self, policy: Policy, draft: Draft) {
        let free = self.policies.iter().position(Option::is_none);
        let at = free.unwrap_or(self.policies.len());
        if free.is_none() {
            self.policies.push(None);
        }
        let ix = u32::try_from(at).unwrap_or(PolicyIx::MAX);
        let mut uses = draft.uses;
        let subject = self.set_of(draft.subject);
        uses.sets.push(subject);
        if let Some(set) = self.sets.get_mut(subject) {
            set.subject_of.insert(ix);
        }
        let rules = draft.rules.map(|rules| {
            let rules = rules?.into_iter().map(|rule| {
                let peers = match rule.peers {
                    None => RulePeers::Anyone,
                    Some(keys) => RulePeers::Of(keys.into_iter().map(|key| self.set_of(key)).collect()),
                };
                if let RulePeers::Of(sets) = &peers {
                    for set in sets {
                        uses.sets.push(*set);
                        if let Some(set) = self.sets.get_mut(*set) {
                            set.in_rules.insert(ix);
                        }
                    }
                }
                Rule { action: rule.action, peers, ports: rule.ports, faulty: rule.faulty }
            });
            Some(rules.collect())
        });
        self.policy_ids.insert(policy.id.clone(), ix);
        let compiled = Compiled { source: policy, enforced: draft.enforced, subject, rules, uses };
        if let Some(slot) = self.policies.get_mut(at) {
            *slot = Some(compiled);
        }
        self.tell_subjects(subject, ix, true);
    }

    fn unlink(&mut self, at: PolicyIx) {
        let Some(policy) = self.policies.get_mut(at as usize).and_then(Option::take) else { return };
        self.policy_ids.remove(&policy.source.id);
        self.tell_subjects(policy.subject, at, false);
        let mut sets = policy.uses.sets.clone();
        sets.sort_unstable();
        sets.dedup();
        for set in sets {
            let Some(known) = self.sets.get_mut(set) else { continue };
            known.in_rules.remove(&at);
            known.subject_of.remove(&at);
            if known.in_rules.is_empty() && known.subject_of.is_empty() {
                self.drop_set(set);
            }
        }
        self.give_back(&policy.uses);
    }

    /// Classes a policy is about learn of it, or forget it.
    fn tell_subjects(&mut self, subject: SetId, policy: PolicyIx, there: bool) {
        let Some(set) = self.sets.get(subject) else { return };
        let mut subjects: Bits = set.sure.clone();
        subjects.add(&set.maybe);
        let policed =
            |id: &ClassId| self.classes.get(*id).is_some_and(|class| matches!(class.key.who, Who::Pod { .. }));
        let subjects: Bits = subjects.iter().filter(policed).collect();
        for id in subjects.iter() {
            for direction in Direction::ALL {
                let slot = direction as usize;
                let Some(mut applies) = self.classes.get(id).and_then(|class| class.applies.get(slot)).cloned() else {
                    continue;
                };
                applies.retain(|known| *known != policy);
                if there {
                    applies.push(policy);
                    applies = self.in_order(&applies, direction);
                }
                if let Some(place) = self.classes.get_mut(id).and_then(|class| class.applies.get_mut(slot)) {
                    *place = applies;
                }
            }
        }
        self.forget(&subjects);
    }

    fn set_of(&mut self, key: SetKey) -> SetId {
        if let Some(id) = self.sets.find(&key) {
            return id;
        }
        let id = self.sets.add(key.clone());
        let mut members = Vec::new();
        for (class, known) in self.classes.iter() {
            let member = key.holds(&known.key, self.space(&known.key), &self.dialect, &self.pod_ranges);
            if member != Member::No {
                members.push((class, member));
            }
        }
        for (class, member) in members {
            self.sets.put(id, class, member);
            if let Some(class) = self.classes.get_mut(class) {
                class.members.push(id);
            }
        }
        id
    }

    fn drop_set(&mut self, id: SetId) {
        let Some(set) = self.sets.remove(id) else { return };
        for class in set.sure.iter().chain(set.maybe.iter()) {
            if let Some(class) = self.classes.get_mut(class) {
                class.members.retain(|known| *known != id);
            }
        }
    }

    /// What a policy asks about makes a difference from now on.
    fn use_all(&mut self, uses: &Uses) {
        let new_pod_keys = more(&mut self.pod_keys, &uses.pod_keys);
        let new_names = more(&mut self.port_names, &uses.port_names);
        let new_node_keys = more(&mut self.node_keys, &uses.node_keys);
        self.reseat_pods_with(&new_pod_keys, &new_names);
        if !new_node_keys.is_empty() {
            self.reseat_nodes();
        }
        for prefix in &uses.prefixes {
            let users = self.prefixes.or_default(*prefix);
            *users += 1;
            if *users == 1 {
                self.hold(ClassKey { who: Who::Outside, at: At::In(prefix.family(), Some(*prefix)) });
                self.reseat_within(prefix);
            }
        }
    }

    fn give_back(&mut self, uses: &Uses) {
        let old_pod_keys = fewer(&mut self.pod_keys, &uses.pod_keys);
        let old_names = fewer(&mut self.port_names, &uses.port_names);
        let old_node_keys = fewer(&mut self.node_keys, &uses.node_keys);
        self.reseat_pods_with(&old_pod_keys, &old_names);
        if !old_node_keys.is_empty() {
            self.reseat_nodes();
        }
        for prefix in &uses.prefixes {
            let Some(users) = self.prefixes.get_mut(prefix) else { continue };
            *users = users.saturating_sub(1);
            if *users == 0 {
                self.prefixes.remove(prefix);
                self.reseat_within(prefix);
                let key = ClassKey { who: Who::Outside, at: At::In(prefix.family(), Some(*prefix)) };
                if let Some(class) = self.classes.find(&key) {
                    self.release(class);
                }
            }
        }
    }

    fn reseat_pods_with(&mut self, keys: &[Word], names: &[Word]) {
        if keys.is_empty() && names.is_empty() {
            return;
        }
        let concerned = |pod: &&Pod| {
            pod.labels.iter().any(|(key, _)| keys.contains(key))
                || pod.ports.iter().any(|(name, ..)| names.contains(name))
        };
        let pods: Vec<(String, String)> = self
            .pods
            .values()
            .flat_map(BTreeMap::values)
            .filter(concerned)
            .map(|pod| (pod.info.namespace.clone(), pod.info.name.clone()))
            .collect();
        for (namespace, name) in pods {
            self.reseat_pod(&namespace, &name);
        }
    }

    fn reseat_nodes(&mut self) {
        let nodes: Vec<String> = self.nodes.keys().cloned().collect();
        for node in nodes {
            self.seat_node(&node);
            self.reseat_host_pods(&node);
        }
    }

    /// Everybody with an address in a prefix that came into use or went out of it.
    fn reseat_within(&mut self, prefix: &Cidr) {
        let holders: Vec<Holder> =
            self.addresses.range(prefix.first()..=prefix.last()).map(|(_, (holder, _))| holder.clone()).collect();
        let mut nodes = Vec::new();
        for holder in holders {
            match holder {
                Holder::Pod(namespace, name) => self.reseat_pod(&namespace, &name),
                Holder::Node(name) => nodes.push(name),
            }
        }
        nodes.dedup();
        for node in nodes {
            self.seat_node(&node);
            self.reseat_host_pods(&node);
        }
        // Pods on the host network of nodes nobody knows have no entry of their own.
        let strays = |pod: &&Pod| pod.info.host_network && pod.info.ips.iter().any(|ip| prefix.contains(*ip));
        let strays: Vec<(String, String)> = self
            .pods
            .values()
            .flat_map(BTreeMap::values)
            .filter(strays)
            .map(|pod| (pod.info.namespace.clone(), pod.info.name.clone()))
            .collect();
        for (namespace, name) in strays {
            self.reseat_pod(&namespace, &name);
        }
    }
}

/// The labels somebody asks about.
fn asked(labels: &Labels, keys: &BTreeMap<Word, usize>) -> Labels {
    labels.iter().filter(|(key, _)| keys.contains_key(key)).copied().collect()
}

/// Counts uses up; gives back what was not used before.
fn more(counts: &mut BTreeMap<Word, usize>, words: &[Word]) -> Vec<Word> {
    let mut new = Vec::new();
    for word in words {
        let count = counts.entry(*word).or_insert(0);
        *count += 1;
        if *count == 1 {
            new.push(*word);
        }
    }
    new
}

/// Counts uses down; gives back what is not used any more.
fn fewer(counts: &mut BTreeMap<Word, usize>, words: &[Word]) -> Vec<Word> {
    let mut old = Vec::new();
    for word in words {
        if let Some(count) = counts.get_mut(word) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                counts.remove(word);
                old.push(*word);
            }
        }
    }
    old
}
