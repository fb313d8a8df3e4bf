//! How policies come into the index and go out of it again.

use crate::bits::Bits;
use crate::classes::{At, Class, ClassId, PolicyIx, Who};
use crate::index::Index;
use crate::rules::{Compiled, Draft, Rule, RulePeers, Uses, draft};
use crate::sets::{Member, SetId, SetKey};
use crate::words::Word;
use causeway_model::policy::{Direction, Policy, PolicyId, PolicyKind, PolicyTier, Subject};
use std::collections::BTreeMap;

impl Compiled {
    /// What policies are sorted by. Where the BaselineAdminNetworkPolicy stands among those of the newer API nobody says.
    pub(crate) fn order(&self) -> (PolicyTier, bool, u32, &PolicyId) {
        (self.source.tier, self.is_old_baseline(), self.source.priority, &self.source.id)
    }

    pub(crate) fn is_old_baseline(&self) -> bool {
        self.source.id.kind == PolicyKind::BaselineAdminNetworkPolicy
    }
}

impl Index {
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
        let name = policy.id.to_string().into();
        let compiled =
            Compiled { source: policy, name, enforced: draft.enforced, doubted: draft.doubted, subject, rules, uses };
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

    /// Policies the engine reads and nobody has evaluated, with whom each selects at most: of them nothing is sure.
    #[must_use]
    pub fn with_unread_about(mut self, unread: Vec<(String, Vec<Subject>)>) -> Index {
        for (name, subjects) in unread {
            for subject in subjects {
                let mut uses = Uses::default();
                let key = crate::rules::subject(&subject, &mut self.words, &mut uses);
                self.use_all(&uses);
                let set = self.set_of(key);
                // It stays whatever policies come and go.
                if let Some(set) = self.sets.get_mut(set) {
                    set.in_rules.insert(PolicyIx::MAX);
                }
                self.doubts.push((name.clone(), set));
            }
        }
        let all = Bits::below(self.classes.size());
        self.forget(&all);
        self
    }

    /// Policies nobody has evaluated that a class may be selected by.
    pub(crate) fn doubts_of(&self, class: &Class) -> Vec<&str> {
        if self.doubts.is_empty() {
            return Vec::new();
        }
        let Some(own) = self.classes.find(&class.key) else { return Vec::new() };
        let holds = |set: &SetId| self.sets.get(*set).is_some_and(|set| set.sure.has(own) || set.maybe.has(own));
        let mut out: Vec<&str> =
            self.doubts.iter().filter(|(_, set)| holds(set)).map(|(name, _)| name.as_str()).collect();
        out.dedup();
        out
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
                self.touched.outside = true;
                self.hold_outside(&At::In(prefix.family(), Some(*prefix)));
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
                self.touched.outside = true;
                self.reseat_within(prefix);
                self.release_outside(&At::In(prefix.family(), Some(*prefix)));
            }
        }
    }
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
