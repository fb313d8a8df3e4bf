//! Typed names: a network's name can't be taken for a cluster's.

use smol_str::SmolStr;
use std::fmt;
use std::sync::Arc;

// Names are compared all the time, as keys of sorted maps: short ones stand in the key itself, not somewhere else in memory.

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(SmolStr);

        impl $name {
            /// The name as written.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(name: &str) -> Self {
                $name(SmolStr::new(name))
            }
        }

        impl From<Arc<str>> for $name {
            fn from(name: Arc<str>) -> Self {
                $name(SmolStr::from(name))
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &self.0)
            }
        }
    )*};
}

names! {
    /// Key of [`crate::design::Design::networks`].
    NetworkName
    /// Key of a network's subnets.
    SubnetName
    /// Key of [`crate::design::Design::route_tables`].
    RouteTableName
    /// Key of [`crate::design::Design::security_groups`].
    SecurityGroupName
    /// Key of [`crate::design::Design::nat_gateways`].
    NatGatewayName
    /// Key of [`crate::design::Design::firewalls`].
    FirewallName
    /// Key of [`crate::design::Design::hosts`].
    HostName
    /// Key of [`crate::design::Design::private_endpoints`].
    PrivateEndpointName
    /// Key of [`crate::design::Design::clusters`].
    ClusterName
    /// Key of a cluster's pools.
    PoolName
    /// Key of a cluster's nodes.
    NodeName
}

/// A subnet by network and name; written `NETWORK/SUBNET`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubnetRef {
    /// The network it is in.
    pub network: NetworkName,
    /// Its name there.
    pub subnet: SubnetName,
}

impl fmt::Display for SubnetRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.network, self.subnet)
    }
}

impl SubnetRef {
    /// The dotted path of the subnet in the design: `networks.NETWORK.subnets.SUBNET`.
    pub fn path(&self) -> String {
        format!("networks.{}.subnets.{}", self.network, self.subnet)
    }
}
