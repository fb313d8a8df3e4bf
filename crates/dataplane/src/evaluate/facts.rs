//! What has to be known of a node to say what its rules do.

use causeway_addr::{AddressRange, Family, RangeSet};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What is known of a node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Node {
    /// Its own addresses, those of its local routing table, loopback included; `None` = not known.
    pub local: Option<RangeSet>,
    /// The address IPv4 packets that are masqueraded get: the first of the interface they leave by; `None` = not known.
    pub masquerade_v4: Option<Ipv4Addr>,
    /// The same for IPv6.
    pub masquerade_v6: Option<Ipv6Addr>,
}

impl Node {
    /// A node with these addresses and the loopback ones.
    pub fn with_addresses<R: Into<AddressRange>>(addresses: impl IntoIterator<Item = R>) -> Node {
        let mut local: RangeSet = addresses.into_iter().collect();
        local.insert(causeway_addr::Cidr::v4([127, 0, 0, 0], 8));
        local.insert(causeway_addr::Cidr::host(IpAddr::V6(Ipv6Addr::LOCALHOST)));
        Node { local: Some(local), ..Node::default() }
    }

    /// The same node, which masquerades as this address in the address's family.
    #[must_use]
    pub fn masquerading_as(mut self, address: IpAddr) -> Node {
        match address {
            IpAddr::V4(v4) => self.masquerade_v4 = Some(v4),
            IpAddr::V6(v6) => self.masquerade_v6 = Some(v6),
        }
        self
    }

    /// Whether an address is its own; `None` = not known.
    pub fn is_local(&self, address: IpAddr) -> Option<bool> {
        self.local.as_ref().map(|local| local.contains(address))
    }

    /// What it masquerades packets of a family as.
    pub fn masquerade(&self, family: Family) -> Option<IpAddr> {
        match family {
            Family::V4 => self.masquerade_v4.map(IpAddr::V4),
            Family::V6 => self.masquerade_v6.map(IpAddr::V6),
        }
    }
}

/// A fact that is not known and on which a fate hangs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Missing {
    /// Which addresses are the node's own.
    LocalAddresses,
    /// The address the node masquerades packets of this family as.
    MasqueradeAddress(Family),
    /// Whether the kernel marks the connection as translated: its new source is its old one, and only its port may differ.
    SourceTranslated,
    /// Rules that can't be loaded, in words: an unknown chain, a loop.
    Broken(String),
    /// What a rule asks for that is outside a ruleset's words, in nf_tables' own.
    Expression(String),
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Missing::LocalAddresses => f.write_str("the node's own addresses"),
            Missing::MasqueradeAddress(family) => write!(f, "the {family} address the node masquerades as"),
            Missing::SourceTranslated => f.write_str("whether the connection counts as translated"),
            Missing::Broken(what) => write!(f, "what broken rules do ({what})"),
            Missing::Expression(what) => write!(f, "`{what}`"),
        }
    }
}
