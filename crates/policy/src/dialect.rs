//! How engines read the same policy.
//!
//! Sources: the API text of NetworkPolicy and ClusterNetworkPolicy; facts `np.npm.vs_cilium`, `mode.cilium.ipblock_cannot_select`,
//! `np.npm.limits` (use-network-policies.md, migrate-from-npm-to-cilium-network-policy.md); Azure NPM's own source, commit cbd7560.
//! Where nobody says how an engine differs, it is taken to read the API text.

use causeway_model::design::Version;
use std::fmt;

/// An engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Engine {
    /// The API text itself.
    Strict,
    /// Azure NPM.
    Npm,
    /// Cilium.
    Cilium,
    /// Calico.
    Calico,
    /// Nobody: the cluster has no engine, and policies are objects without effect.
    None,
}

impl Engine {
    /// All of them, with the words people write.
    pub const WORDS: [(&'static str, Engine); 5] = [
        ("strict", Engine::Strict),
        ("npm", Engine::Npm),
        ("cilium", Engine::Cilium),
        ("calico", Engine::Calico),
        ("none", Engine::None),
    ];

    /// The engine of a word.
    pub fn parse(word: &str) -> Option<Engine> {
        Self::WORDS.iter().find(|(known, _)| *known == word).map(|(_, engine)| *engine)
    }

    /// The word.
    pub fn as_str(self) -> &'static str {
        Self::WORDS.iter().find(|(_, engine)| *engine == self).map_or("", |(word, _)| word)
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Yes, no, or nobody says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// Yes.
    Yes,
    /// No.
    No,
    /// Nobody says.
    NotSaid,
}

/// How an engine reads policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    /// The engine.
    pub engine: Engine,
    /// Policies are enforced at all.
    pub enforces: bool,
    /// `ipBlock` and `networks` match addresses of pods and nodes too. Cilium goes by identity first, so they never do.
    pub blocks_match_pods_and_nodes: bool,
    /// A pod may always talk to its own node, whatever NetworkPolicies say. Cilium blocks it unless it is allowed.
    pub own_node_is_open: Known,
    /// Policies of policy.networking.k8s.io are read.
    pub reads_tiers: Known,
    /// `endPort` is read. Older versions of Cilium took the first port alone (up to 1.14) or refused the whole policy (cilium/cilium
    /// pull request 28704, October 2023): where it is not known to be read, it is not sure that the policy is enforced.
    pub reads_end_port: bool,
    /// A named port that has several numbers in the cluster is told apart by pod.
    pub tells_named_ports_apart: bool,
    /// `NotIn` with several values in a namespaceSelector means what it says; NPM takes it for almost everything.
    pub negates_several_values: bool,
    /// A namespaceSelector that only says what must not be matches no address outside the cluster.
    pub negative_namespaces_stay_inside: bool,
    /// An empty `from` or `to` that was written out, beside ports, allows everybody.
    pub empty_peers_with_ports_allow: bool,
    /// IPv6 prefixes are translated. Where they are not, the whole policy is not enforced.
    pub translates_ipv6: bool,
}

impl Dialect {
    /// The API text.
    pub const STRICT: Dialect = Dialect {
        engine: Engine::Strict,
        enforces: true,
        blocks_match_pods_and_nodes: true,
        own_node_is_open: Known::Yes,
        reads_tiers: Known::Yes,
        reads_end_port: true,
        tells_named_ports_apart: true,
        negates_several_values: true,
        negative_namespaces_stay_inside: true,
        empty_peers_with_ports_allow: true,
        translates_ipv6: true,
    };

    /// How an engine reads policies on AKS with a version of Kubernetes; `None` = not known: then only what every version reads is sure.
    pub fn of(engine: Engine, kubernetes: Option<Version>) -> Dialect {
        let strict = Dialect { engine, ..Dialect::STRICT };
        match engine {
            Engine::Strict => strict,
            Engine::None => Dialect { enforces: false, ..strict },
            Engine::Npm => Dialect {
                reads_tiers: Known::No,
                negates_several_values: false,
                negative_namespaces_stay_inside: false,
                empty_peers_with_ports_allow: false,
                translates_ipv6: false,
                ..strict
            },
            // endPort came with Cilium 1.17, which AKS has from Kubernetes 1.32.
            Engine::Cilium => Dialect {
                blocks_match_pods_and_nodes: false,
                own_node_is_open: Known::No,
                reads_tiers: Known::NotSaid,
                reads_end_port: kubernetes.is_some_and(|version| version.at_least(1, 32)),
                tells_named_ports_apart: false,
                ..strict
            },
            // Calico asks the pod's policies before the way to the node, but which way the default goes is a setting.
            Engine::Calico => Dialect { own_node_is_open: Known::NotSaid, reads_tiers: Known::NotSaid, ..strict },
        }
    }

    /// What to know about an engine when its verdicts differ, a sentence for each way it departs from the API text.
    pub fn departures(&self) -> Vec<&'static str> {
        let mut out = Vec::new();
        let mut say = |holds: bool, sentence: &'static str| {
            if holds {
                out.push(sentence);
            }
        };
        say(!self.enforces, "no policy is enforced: the cluster has no engine");
        say(!self.blocks_match_pods_and_nodes, "`ipBlock` never matches pods or nodes");
        say(self.own_node_is_open == Known::No, "egress to the own node is blocked unless it is allowed");
        say(
            self.own_node_is_open == Known::NotSaid,
            "whether egress to the own node is open is a setting of the engine",
        );
        say(self.reads_tiers == Known::No, "policies of policy.networking.k8s.io are not read");
        say(self.reads_tiers == Known::NotSaid, "whether policies of policy.networking.k8s.io are read is not known");
        say(
            !self.reads_end_port,
            "`endPort` is not read before Cilium 1.17, which Kubernetes 1.32 brought: such a policy may be not enforced at all",
        );
        say(!self.tells_named_ports_apart, "a port name with several numbers in the cluster is unreliable");
        say(
            !self.negates_several_values,
            "`NotIn` with several values in a namespaceSelector matches almost everything",
        );
        say(
            !self.negative_namespaces_stay_inside,
            "a namespaceSelector that only negates matches addresses outside too",
        );
        say(!self.empty_peers_with_ports_allow, "an empty `from` or `to` beside ports allows nobody");
        say(!self.translates_ipv6, "a policy with an IPv6 prefix is not enforced at all");
        out
    }
}
