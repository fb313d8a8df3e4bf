//! Why the kernel could not be brought to what it should hold.

use causeway_linux::netlink;
use causeway_linux::nftables::ApplyError;

/// Why the kernel could not be brought to what it should hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Failure {
    /// It does not let this process write.
    #[error("{0}")]
    Blocked(String),
    /// Others kept changing it meanwhile.
    #[error("others kept changing the rules meanwhile: {0}")]
    Busy(String),
    /// Others hold the lock of iptables' legacy tables.
    #[error("waiting for the xtables lock: {0}")]
    Locked(String),
    /// Something else.
    #[error("{0}")]
    Other(String),
}

impl From<netlink::Error> for Failure {
    fn from(error: netlink::Error) -> Failure {
        match error {
            netlink::Error::Refused { .. } => Failure::Blocked(error.to_string()),
            netlink::Error::Interrupted => Failure::Busy(error.to_string()),
            other => Failure::Other(other.to_string()),
        }
    }
}

impl From<ApplyError> for Failure {
    fn from(error: ApplyError) -> Failure {
        match error {
            ApplyError::Refused { .. } => Failure::Blocked(error.to_string()),
            ApplyError::Exchange(error) => error.into(),
            other => Failure::Other(other.to_string()),
        }
    }
}
