//! What is asked.

use causeway_addr::Family;
use causeway_dataplane::packet::Protocol;

/// A flow somebody asks about, in their words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// WHO: `pod/NS/NAME`, `node/NAME`, `host/NAME`, `pool/CLUSTER/NAME`, `apiServer/CLUSTER`, `internet`, an address; with several clusters
    /// `CLUSTER/` goes in front.
    pub from: String,
    /// WHERE: the same, `service/NS/NAME`, or a DNS name.
    pub to: String,
    /// The destination port; `None` = the only one the receiver is known to listen on.
    pub port: Option<u16>,
    /// The transport protocol; `None` = TCP, or the one of the only port the receiver is known to listen on.
    pub protocol: Option<Protocol>,
    /// The address family; `None` = the first that both ends have, IPv4 before IPv6.
    pub family: Option<Family>,
    /// An address that nobody is known to hold is no receiver.
    pub strict: bool,
}

/// A question that can't be asked: a name nobody has, a port nobody could mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unasked {
    /// What is wrong, in the user's words.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}
