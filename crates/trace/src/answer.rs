//! What a walk answers.

use crate::names::Answer;
use causeway_dataplane::packet::Packet;
use causeway_model::design::SubnetRef;
use std::net::IpAddr;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$vdoc])* $variant,)*
        }

        impl $name {
            /// Every value with its word.
            pub const WORDS: &'static [(&'static str, $name)] = &[$(($word, $name::$variant),)*];

            /// Its word, as design files and outputs write it.
            pub fn as_str(self) -> &'static str {
                match self {
                    $($name::$variant => $word,)*
                }
            }

            /// The value of a word.
            pub fn parse(word: &str) -> Option<Self> {
                Self::WORDS.iter().find(|(known, _)| *known == word).map(|(_, value)| *value)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

pub(crate) use words;

words! {
    /// What becomes of a flow.
    Verdict {
        /// The request arrives and the answer comes back.
        Delivered = "delivered",
        /// The request does not arrive.
        Dropped = "dropped",
        /// The request arrives, the answer can't come back.
        ReplyLost = "replyLost",
        /// A stateful hop saw one direction only.
        AsymmetricDrop = "asymmetricDrop",
        /// A network policy forbids it.
        DeniedByPolicy = "deniedByPolicy",
        /// It can't be said without what [`Trace::missing`] names.
        Uncertain = "uncertain",
    }
}

words! {
    /// Who rewrites or decides.
    Owner {
        /// Nobody.
        None = "none",
        /// The node's masquerade agent, whichever runs (the original, its successor, or this product's).
        IpMasqAgent = "ip-masq-agent",
        /// kube-proxy, or what stands in for it.
        KubeProxy = "kube-proxy",
        /// The CNI plugin.
        Cni = "cni",
        /// Cilium's eBPF data plane.
        Cilium = "cilium",
        /// The platform: anti-spoofing, addresses of its own.
        Platform = "platform",
        /// Routers of the other side.
        RemoteRouter = "remote-router",
        /// Azure Firewall.
        AzureFirewall = "azure-firewall",
        /// Another appliance.
        Nva = "nva",
        /// A load balancer.
        LoadBalancer = "load-balancer",
        /// A NAT gateway.
        NatGateway = "nat-gateway",
        /// A user-defined route.
        Udr = "udr",
        /// A network security group.
        Nsg = "nsg",
        /// A network policy.
        NetworkPolicy = "networkpolicy",
        /// The /32 route of a private endpoint.
        PrivateEndpointRoute = "private-endpoint-route",
        /// A route of the platform.
        SystemRoute = "system-route",
    }
}

words! {
    /// Which way a packet goes.
    Direction {
        /// From who asked.
        Forward = "forward",
        /// Back to who asked.
        Reply = "reply",
    }
}

/// Who decided, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Who.
    pub owner: Owner,
    /// Dotted path of the object in the design (`networks.spoke.subnets.pods`), which findings and places use too; empty = no object says so.
    pub object: String,
    /// The rule, route or entry by its name; `None` = the object as a whole.
    pub rule: Option<String>,
    /// In one sentence: lower case, no full stop.
    pub because: String,
}

impl Decision {
    /// Of an object as a whole.
    pub fn new(owner: Owner, object: impl Into<String>, because: impl Into<String>) -> Decision {
        Decision { owner, object: object.into(), rule: None, because: because.into() }
    }

    /// The rule that decided.
    #[must_use]
    pub fn rule(mut self, rule: impl Into<String>) -> Decision {
        self.rule = Some(rule.into());
        self
    }
}

/// One hop: what was done to the packet there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    /// Where, in words a person finds again: `pod/shop/web`, `node/n1`, `subnet spoke/nodes`, `firewall hub-fw`.
    pub at: String,
    /// What was done, in one phrase.
    pub did: String,
    /// Who did it.
    pub by: Owner,
    /// Dotted path of the object that says so; empty = none.
    pub object: String,
    /// The packet as it came.
    pub before: Packet,
    /// The packet as it went on.
    pub packet: Packet,
}

/// Something that stands in the flow's way; without all of them it would arrive and be answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obstacle {
    /// On the way there, or back.
    pub direction: Direction,
    /// What becomes of the flow because of it.
    pub verdict: Verdict,
    /// Who says so.
    pub decision: Decision,
    /// What to change.
    pub fix: String,
    /// It stands there whatever the facts are that were missing: none was when it was met.
    pub firm: bool,
    /// How many hops of its direction come before it.
    pub met: usize,
}

/// A fact that is not known and that the answer hangs on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Missing {
    /// The fact.
    pub fact: String,
    /// How to get it: the command to run, or the field to write.
    pub how: String,
}

impl Missing {
    /// A fact and how to get it.
    pub fn new(fact: impl Into<String>, how: impl Into<String>) -> Missing {
        Missing { fact: fact.into(), how: how.into() }
    }
}

/// What became of one flow, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// Who asked, as written.
    pub from: String,
    /// Whom, as written.
    pub to: String,
    /// The first packet, as its sender made it; `None` = there is none: the name leads nowhere.
    pub sent: Option<Packet>,
    /// The address of the sender's node in the packet's family; `None` = the sender is on no node, or it is not known.
    pub sender_node: Option<IpAddr>,
    /// What became of it.
    pub verdict: Verdict,
    /// The packet's source when it reaches the receiver; `None` = it does not, or it can't be said.
    pub source_seen: Option<IpAddr>,
    /// The packet's source when it leaves the sender's node; `None` = it never leaves, or there is no node.
    pub source_leaving_node: Option<IpAddr>,
    /// Who rewrote the source on the node; `Some(Owner::None)` = nobody did; `None` = the packet never left the sender.
    pub snat_by: Option<Owner>,
    /// Where the destination was rewritten to, by a service or a firewall: the last one.
    pub dnat_to: Option<(IpAddr, u16)>,
    /// The subnet whose route table, security group and NAT gateway applied where the packet entered the fabric: that which owns its source
    /// address there.
    pub governed_by_subnet: Option<SubnetRef>,
    /// Who decided the verdict; for a delivered flow who shaped it most: the last to rewrite or route it.
    pub decided_by: Option<Decision>,
    /// The way there.
    pub forward: Vec<Hop>,
    /// The way back.
    pub reply: Vec<Hop>,
    /// Everything that stands in the way, in the order it is met.
    pub obstacles: Vec<Obstacle>,
    /// What is not known and would be needed.
    pub missing: Vec<Missing>,
    /// What else is worth knowing: assumptions, facts nobody has verified.
    pub notes: Vec<String>,
    /// How the receiver's name was resolved; `None` = it was no name.
    pub resolution: Option<Answer>,
    /// Every answer the name may get, where it may get several.
    pub resolutions: Vec<Answer>,
    /// The shortest idle timeout of a stateful hop, in seconds; `None` = none is known.
    pub idle_timeout_seconds: Option<u64>,
    /// The smallest MTU known on the way, in bytes.
    pub mtu: Option<u32>,
    /// Where the flow may go several ways (endpoints of a service, nodes behind a load balancer, answers of a name): each of them, when they
    /// differ in more than names.
    pub ways: Vec<Trace>,
}
