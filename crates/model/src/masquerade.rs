//! What a masquerade agent makes of its configuration, as plain data.
//!
//! The files are text until somebody reads them (`causeway_read::masquerade`); what came out is kept here, so that
//! checks, the tracer and the node agent all start from the same answer.

use crate::facts::special;
use crate::finding::Finding;
use crate::source::Span;
use causeway_addr::{Cidr, Family, RangeSet};
use std::collections::BTreeMap;
use std::fmt;

/// What a node translates: everything but these destinations. A packet whose destination is an address of the node
/// itself is never translated, and only the first packet of a connection decides.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MasqueradeConfig {
    /// Destinations to which packets keep their source; sorted, each once, as the kernel holds them.
    pub exempt: Vec<Cidr>,
    /// Packets to 169.254.0.0/16 are translated (`masqLinkLocal: true`); false = exempt.
    pub link_local: bool,
    /// Packets to fe80::/10 are translated (`masqLinkLocalIPv6: true`); false = exempt.
    pub link_local_v6: bool,
    /// IPv6 packets are translated at all.
    pub ipv6: bool,
}

impl MasqueradeConfig {
    /// All destinations to which packets keep their source: the list, link-local where it is exempt, and all of IPv6 where IPv6 is not
    /// translated at all.
    pub fn kept(&self) -> RangeSet {
        let mut kept: RangeSet = self.exempt.iter().copied().collect();
        if !self.link_local {
            kept.insert(special::LINK_LOCAL);
        }
        if !self.ipv6 {
            kept.insert(Family::V6.everything());
        } else if !self.link_local_v6 {
            kept.insert(special::LINK_LOCAL_IPV6);
        }
        kept
    }
}

/// A program that reads masquerade files; each has its own idea of what they say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MasqueradeReader {
    /// ip-masq-agent-v2: every file whose name starts with `ip-masq`, merged; stops at the first error.
    V2,
    /// ip-masq-agent of kubernetes-sigs: the file `ip-masq-agent` laid over the defaults; keeps the last good one.
    Original,
    /// Cilium's own: the file `ip-masq-agent`; misaligned prefixes are cut, errors keep the last good one.
    Cilium,
    /// AKS' azure-ip-masq-merger in front of Cilium, where eBPF host routing is on.
    Merger,
}

impl MasqueradeReader {
    /// All of them.
    pub const ALL: [MasqueradeReader; 4] =
        [MasqueradeReader::V2, MasqueradeReader::Original, MasqueradeReader::Cilium, MasqueradeReader::Merger];

    /// Its name as people know it.
    pub fn as_str(self) -> &'static str {
        match self {
            MasqueradeReader::V2 => "ip-masq-agent-v2",
            MasqueradeReader::Original => "ip-masq-agent",
            MasqueradeReader::Cilium => "cilium",
            MasqueradeReader::Merger => "azure-ip-masq-merger",
        }
    }
}

impl fmt::Display for MasqueradeReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What one reader makes of the configuration directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MasqueradeOutcome {
    /// It applies this.
    Applied {
        /// What the kernel gets.
        config: MasqueradeConfig,
        /// No file took part: these are the program's built-in defaults.
        defaults: bool,
    },
    /// It refuses, and this is what it logs. The rules of before stay in the kernel; a node that starts now has none.
    Refused {
        /// The text it logs.
        message: String,
        /// It ends and is started again, over and over; otherwise it goes on with what it had.
        exits: bool,
    },
}

/// What reading a cluster's masquerade files gave.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MasqueradeReading {
    /// The program the settings are for; `None` = nothing was given to read.
    pub reader: Option<MasqueradeReader>,
    /// The files of the configuration directory in name order, whether they take part or not.
    pub files: Vec<ReadMasqueradeFile>,
    /// What each reader makes of them; empty when the directory is not known.
    pub outcomes: BTreeMap<MasqueradeReader, MasqueradeOutcome>,
    /// What a careful operator would want to know about them, for [`MasqueradeReading::reader`].
    pub findings: Vec<Finding>,
    /// What would have to be known to be sure of the directory: a ConfigMap that is mounted but was not given.
    pub missing: Vec<String>,
    /// The agent's arguments turn IPv6 on.
    pub enable_ipv6: bool,
    /// The nat chain the agent's arguments name; `None` = the usual one.
    pub chain: Option<String>,
}

/// One file of the configuration directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadMasqueradeFile {
    /// Its name in the directory.
    pub name: String,
    /// Dotted path in the design of where it comes from.
    pub object: String,
    /// The name of the ConfigMap it is a key of; `None` when it was given directly.
    pub config_map: Option<String>,
    /// The agent that is stated reads it.
    pub takes_part: bool,
    /// Entries of its list, in the order written; `None` = it has no list.
    pub list: Option<Vec<ReadMasqueradeEntry>>,
    /// `masqLinkLocal`, if it says so, and where.
    pub link_local: Option<(bool, Option<Span>)>,
    /// `masqLinkLocalIPv6`, if it says so, and where.
    pub link_local_v6: Option<(bool, Option<Span>)>,
}

/// One entry of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadMasqueradeEntry {
    /// As written; empty for null.
    pub text: String,
    /// What the kernel makes of it; `None` where it is no prefix.
    pub cidr: Option<Cidr>,
    /// Where it stands.
    pub at: Option<Span>,
}
