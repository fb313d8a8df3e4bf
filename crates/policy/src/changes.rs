//! How pods, nodes and namespaces find their classes, and find them again.

use crate::classes::{At, ClassKey, Who};
use crate::ends::{NodeInfo, PodInfo};
use crate::index::{Holder, Index, Node, Pod, Seat};
use crate::sets::Space;
use crate::words::{Labels, Word};
use causeway_addr::{Cidr, Family};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// The label every namespace has.
const NAME_LABEL: &str = "kubernetes.io/metadata.name";

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
                self.displace(&ip);
                // Another node that says it has the address has it now.
                let others = self.nodes.iter().rev();
                let mut others = others.flat_map(|(name, node)| node.seats.iter().map(move |of| (name, of)));
                if let Some((name, seat)) = others.find(|(_, (of, _))| *of == ip).map(|(name, (_, seat))| (name, *seat))
                {
                    self.place(ip, Holder::Node(name.clone()), seat);
                }
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
            // Of several nodes that say they have it the last by name does, whoever came first.
            let later = matches!(self.addresses.get(&ip), Some((Holder::Node(known), _)) if known.as_str() > name);
            if !later {
                self.place(ip, Holder::Node(name.to_owned()), seat);
            }
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
        for ip in info.ips.iter().filter(|_| info.host_network) {
            self.on_host.entry(*ip).or_default().insert((namespace.clone(), name.clone()));
            self.touched.moved.insert(*ip);
        }
        let stays = if info.host_network { info.ips.clone() } else { Vec::new() };
        let seats = old.as_ref().map_or(Vec::new(), |old| old.seats.clone());
        if let Some(old) = old {
            self.forget_addresses(&old.info, &stays);
        }
        // Who comes last has the address: the one before is about to go.
        for ip in info.ips.iter().filter(|_| !info.host_network) {
            if matches!(self.addresses.get(ip), Some((Holder::Pod(..), _))) {
                self.displace(ip);
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
        self.forget_addresses(&pod.info, &[]);
        pod.seats.iter().for_each(|(_, seat)| self.release(seat.class));
    }

    /// What a pod had it has no more, but for what it keeps on a node's network.
    fn forget_addresses(&mut self, info: &PodInfo, stays: &[IpAddr]) {
        for ip in info.ips.iter().filter(|ip| info.host_network && !stays.contains(ip)) {
            let Some(known) = self.on_host.get_mut(ip) else { continue };
            known.remove(&(info.namespace.clone(), info.name.clone()));
            self.touched.moved.insert(*ip);
            if known.is_empty() {
                self.on_host.remove(ip);
            }
        }
        for ip in &info.ips {
            let mine = matches!(self.addresses.get(ip), Some((Holder::Pod(namespace, name), _))
                if *namespace == info.namespace && *name == info.name);
            if mine {
                self.displace(ip);
            }
        }
    }

    /// Somebody has an address.
    fn place(&mut self, ip: IpAddr, holder: Holder, seat: Seat) {
        let known = self.addresses.insert(ip, (holder, seat));
        if known.is_none_or(|(_, known)| known != seat) {
            self.touched.moved.insert(ip);
        }
    }

    /// Nobody has it.
    fn displace(&mut self, ip: &IpAddr) {
        if self.addresses.remove(ip).is_some() {
            self.touched.moved.insert(*ip);
        }
    }

    /// Finds a pod its class again. The new one is taken before the old one is given up, so that nothing is made twice.
    pub(crate) fn reseat_pod(&mut self, namespace: &str, name: &str) {
        let seats = self.seats_of_pod(namespace, name);
        let Some(pod) = self.pods.get_mut(namespace).and_then(|pods| pods.get_mut(name)) else { return };
        let taken = seats.clone();
        let old = std::mem::replace(&mut pod.seats, seats);
        let (host, ips) = (pod.info.host_network, pod.info.ips.clone());
        if host {
            // The address is a node's, or nobody else's: then it sits where the pod does.
            if taken != old {
                self.touched.moved.extend(ips.into_iter().filter(|ip| !self.addresses.contains_key(ip)));
            }
        } else {
            for ip in ips {
                let seat = taken.iter().find(|(family, _)| *family == Family::of(ip)).map(|(_, seat)| *seat);
                // An address somebody else got meanwhile stays theirs.
                let free = match self.addresses.get(&ip) {
                    None => true,
                    Some((Holder::Pod(of, pod), _)) => of == namespace && pod == name,
                    Some((Holder::Node(_), _)) => false,
                };
                if let Some(seat) = seat.filter(|_| free) {
                    self.place(ip, Holder::Pod(namespace.to_owned(), name.to_owned()), seat);
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
        let seen = self.namespaces.contains_key(namespace);
        let mut labels = self.namespaces.get(namespace).cloned().unwrap_or_default();
        labels.insert(NAME_LABEL.to_owned(), namespace.to_owned());
        let space = Space { name: self.words.of(namespace), labels: self.words.labels(&labels), seen };
        if let Some(id) = self.space_ids.get(&space) {
            return *id;
        }
        let id = u32::try_from(self.spaces.len()).unwrap_or(u32::MAX);
        self.spaces.push(space.clone());
        self.space_ids.insert(space, id);
        id
    }

    pub(crate) fn reseat_pods_with(&mut self, keys: &[Word], names: &[Word]) {
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

    pub(crate) fn reseat_nodes(&mut self) {
        let nodes: Vec<String> = self.nodes.keys().cloned().collect();
        for node in nodes {
            self.seat_node(&node);
            self.reseat_host_pods(&node);
        }
    }

    /// Everybody with an address in a prefix that came into use or went out of it.
    pub(crate) fn reseat_within(&mut self, prefix: &Cidr) {
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
