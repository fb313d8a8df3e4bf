//! Outbound types: where each may be used, what it needs and creates, and which may become which.

use super::{About, Fact};
use crate::design::OutboundType;

/// Who owns the cluster's VNet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VnetOwner {
    /// AKS made it.
    Managed,
    /// The user brought it.
    Own,
}

/// A row of the table of outbound types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutboundFacts {
    /// The type of the row.
    pub kind: OutboundType,
    /// In which VNets it may be used.
    pub vnets: &'static [VnetOwner],
    /// What must be there before.
    pub requires: &'static str,
    /// What the platform makes for it.
    pub creates: &'static str,
    /// The cluster gets public addresses of its own for outbound traffic.
    pub own_public_ips: bool,
    /// Only for network isolated clusters.
    pub isolated_only: bool,
    /// Preview.
    pub preview: bool,
}

/// What is known of a change from one outbound type to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The platform does it: egress addresses change and connections drop.
    Supported,
    /// The platform's table refuses it, another place of the same page shows a command for it.
    Doubtful,
    /// The platform refuses it, or one of the types cannot be used in that VNet.
    Refused,
    /// Both are the same.
    Same,
}

const BOTH: &[VnetOwner] = &[VnetOwner::Managed, VnetOwner::Own];
const MANAGED_ONLY: &[VnetOwner] = &[VnetOwner::Managed];
const OWN_ONLY: &[VnetOwner] = &[VnetOwner::Own];

facts! {
    /// The type when none is given.
    DEFAULT: OutboundType = OutboundType::LoadBalancer,
        "out.default" Doc 2026-8-5 "egress-outboundtype.md, load-balancer-standard.md"
        "AKS Automatic in a managed VNet: managedNATGateway";
    /// Every type but none needs scale sets and a Standard load balancer.
    NEEDS: &[&str] = &["VirtualMachineScaleSets", "Standard load balancer"],
        "out.requirements.common" Doc 2026-8-5 "egress-outboundtype.md, egress-udr.md";
    /// In clusters that are not private the nodes' traffic to the API server leaves through the outbound type as
    /// well, so running out of ports can cut them off.
    CARRIES_API_SERVER_TRAFFIC: bool = true,
        "out.api_server_traffic" Doc 2026-8-5 "egress-outboundtype.md, nat-gateway.md";
    /// Load balancer.
    LOAD_BALANCER: OutboundFacts = OutboundFacts { kind: OutboundType::LoadBalancer, vnets: BOTH, requires: "nothing", creates: "public address, frontend, outbound rule, backend pools", own_public_ips: true, isolated_only: false, preview: false },
        "out.loadBalancer" Doc 2026-8-5 "egress-outboundtype.md, load-balancer-standard.md"
        "a policy must not forbid public addresses";
    /// A NAT gateway AKS makes.
    MANAGED_NAT_GATEWAY: OutboundFacts = OutboundFacts { kind: OutboundType::ManagedNatGateway, vnets: MANAGED_ONLY, requires: "a VNet AKS manages", creates: "NAT gateway (Standard) with 1 to 16 IPv4 addresses", own_public_ips: true, isolated_only: false, preview: false },
        "out.managedNATGateway" Doc 2026-8-5 "egress-outboundtype.md, nat-gateway.md"
        "brief-managed-natgw-byo: in a VNet of one's own it is an error; use userAssignedNATGateway";
    /// The same, StandardV2.
    MANAGED_NAT_GATEWAY_V2: OutboundFacts = OutboundFacts { kind: OutboundType::ManagedNatGatewayV2, vnets: MANAGED_ONLY, requires: "a VNet AKS manages, feature ManagedNATGatewayV2Preview", creates: "zone-redundant NAT gateway (StandardV2) with 1 to 16 addresses per family", own_public_ips: true, isolated_only: false, preview: true },
        "out.managedNATGatewayV2" Doc 2026-8-5 "egress-outboundtype.md, nat-gateway.md, nat-sku.md"
        "managed or own addresses can't be exchanged later; nothing leads away from it";
    /// A NAT gateway of one's own.
    USER_ASSIGNED_NAT_GATEWAY: OutboundFacts = OutboundFacts { kind: OutboundType::UserAssignedNatGateway, vnets: OWN_ONLY, requires: "a NAT gateway on every node subnet (and pod subnet)", creates: "nothing", own_public_ips: false, isolated_only: false, preview: false },
        "out.userAssignedNATGateway" Doc 2026-8-5 "egress-outboundtype.md, nat-gateway.md"
        "the pod subnet has an egress configuration of its own, so it needs the NAT gateway as well";
    /// A default route.
    USER_DEFINED_ROUTING: OutboundFacts = OutboundFacts { kind: OutboundType::UserDefinedRouting, vnets: OWN_ONLY, requires: "a route table on the cluster's subnet with 0.0.0.0/0 to a gateway or appliance", creates: "a load balancer with the first LoadBalancer Service, inbound only", own_public_ips: false, isolated_only: false, preview: false },
        "out.userDefinedRouting" Doc 2026-8-5 "egress-outboundtype.md, egress-udr.md, limit-egress-traffic.md"
        "AKS validates the route; one to Internet is refused; behind a firewall add a route for its public address to Internet; a system-assigned identity does not go with kubenet";
    /// Nothing.
    NONE: OutboundFacts = OutboundFacts { kind: OutboundType::None, vnets: BOTH, requires: "a network isolated cluster", creates: "nothing", own_public_ips: false, isolated_only: true, preview: false },
        "out.none" Doc 2026-8-5 "egress-outboundtype.md, concepts-network-isolated.md"
        "no default route is validated; public addresses of nodes still let traffic out";
    /// Blocked by security rules.
    BLOCK: OutboundFacts = OutboundFacts { kind: OutboundType::Block, vnets: MANAGED_ONLY, requires: "a network isolated cluster in a VNet AKS manages", creates: "security rules; traffic within the VNet goes on", own_public_ips: false, isolated_only: true, preview: true },
        "out.block" Doc 2026-8-5 "egress-outboundtype.md, concepts-network-isolated.md"
        "in a VNet of one's own use none and deny rules";
    /// Changes in a VNet AKS manages: from, to which.
    MANAGED_CHANGES: &[(OutboundType, &[OutboundType])] = &[
            (OutboundType::LoadBalancer, &[OutboundType::ManagedNatGatewayV2, OutboundType::ManagedNatGateway, OutboundType::None, OutboundType::Block]),
            (OutboundType::ManagedNatGatewayV2, &[]),
            (OutboundType::ManagedNatGateway, &[OutboundType::ManagedNatGatewayV2, OutboundType::None, OutboundType::Block]),
            (OutboundType::None, &[OutboundType::LoadBalancer, OutboundType::ManagedNatGatewayV2, OutboundType::ManagedNatGateway, OutboundType::Block]),
            (OutboundType::Block, &[OutboundType::LoadBalancer, OutboundType::ManagedNatGatewayV2, OutboundType::ManagedNatGateway, OutboundType::None]),
        ],
        "out.migration.managed_vnet" Doc 2026-8-5 "egress-outboundtype.md"
        "natgw-to-lb: the same page shows commands from managedNATGateway to loadBalancer and userDefinedRouting";
    /// Changes in a VNet of one's own: from, to which.
    OWN_CHANGES: &[(OutboundType, &[OutboundType])] = &[
            (OutboundType::LoadBalancer, &[OutboundType::UserAssignedNatGateway, OutboundType::UserDefinedRouting, OutboundType::None]),
            (OutboundType::UserAssignedNatGateway, &[OutboundType::LoadBalancer, OutboundType::UserDefinedRouting, OutboundType::None]),
            (OutboundType::UserDefinedRouting, &[OutboundType::LoadBalancer, OutboundType::UserAssignedNatGateway, OutboundType::None]),
            (OutboundType::None, &[OutboundType::LoadBalancer, OutboundType::UserAssignedNatGateway, OutboundType::UserDefinedRouting]),
        ],
        "out.migration.byo_vnet" Doc 2026-8-5 "egress-outboundtype.md";
    /// What a change does besides.
    CHANGE_EFFECTS: &[&str] = &[
            "the egress address changes", "connections drop",
            "authorized ranges and allow-lists of others must be updated",
        ],
        "out.migration.effects" Doc 2026-8-5 "egress-outboundtype.md";
    /// Clusters with node auto-provisioning can change their outbound type.
    AUTO_PROVISIONING_CAN_CHANGE: bool = false, "out.nap_change_forbidden" Doc 2026-2-15 "node-auto-provisioning.md";
}

/// The row of a type.
pub const fn of(kind: OutboundType) -> &'static Fact<OutboundFacts> {
    match kind {
        OutboundType::LoadBalancer => &LOAD_BALANCER,
        OutboundType::ManagedNatGateway => &MANAGED_NAT_GATEWAY,
        OutboundType::ManagedNatGatewayV2 => &MANAGED_NAT_GATEWAY_V2,
        OutboundType::UserAssignedNatGateway => &USER_ASSIGNED_NAT_GATEWAY,
        OutboundType::UserDefinedRouting => &USER_DEFINED_ROUTING,
        OutboundType::None => &NONE,
        OutboundType::Block => &BLOCK,
    }
}

/// Whether a type may be used in that VNet.
pub fn allowed_in(kind: OutboundType, vnet: VnetOwner) -> bool {
    of(kind).value.vnets.contains(&vnet)
}

/// What becomes of a change, and where that is known from.
pub fn change(vnet: VnetOwner, from: OutboundType, to: OutboundType) -> (Change, About) {
    let table = match vnet {
        VnetOwner::Managed => &MANAGED_CHANGES,
        VnetOwner::Own => &OWN_CHANGES,
    };
    let supported = table.value.iter().any(|(of, targets)| *of == from && targets.contains(&to));
    let doubtful = vnet == VnetOwner::Managed
        && from == OutboundType::ManagedNatGateway
        && matches!(to, OutboundType::LoadBalancer | OutboundType::UserDefinedRouting);
    let change = match (from == to, supported, doubtful) {
        (true, _, _) => Change::Same,
        (_, true, _) => Change::Supported,
        (_, _, true) => Change::Doubtful,
        _ => Change::Refused,
    };
    (change, table.about())
}

#[cfg(test)]
mod tests {
    use super::*;
    use OutboundType::{
        Block, LoadBalancer, ManagedNatGateway, ManagedNatGatewayV2, UserAssignedNatGateway, UserDefinedRouting,
    };

    #[test]
    fn every_type_has_its_row() {
        for (_, kind) in OutboundType::WORDS {
            assert_eq!(of(*kind).value.kind, *kind);
            assert!(!of(*kind).value.vnets.is_empty());
        }
    }

    #[test]
    fn types_by_vnet() {
        for (kind, managed, own) in [
            (LoadBalancer, true, true),
            (ManagedNatGateway, true, false),
            (ManagedNatGatewayV2, true, false),
            (UserAssignedNatGateway, false, true),
            (UserDefinedRouting, false, true),
            (OutboundType::None, true, true),
            (Block, true, false),
        ] {
            assert_eq!(
                (allowed_in(kind, VnetOwner::Managed), allowed_in(kind, VnetOwner::Own)),
                (managed, own),
                "{kind}"
            );
        }
    }

    #[test]
    fn changes_in_a_managed_vnet() {
        for (from, to, expected) in [
            (LoadBalancer, ManagedNatGatewayV2, Change::Supported),
            (LoadBalancer, ManagedNatGateway, Change::Supported),
            (LoadBalancer, OutboundType::None, Change::Supported),
            (LoadBalancer, Block, Change::Supported),
            (LoadBalancer, UserDefinedRouting, Change::Refused),
            (ManagedNatGatewayV2, LoadBalancer, Change::Refused),
            (ManagedNatGatewayV2, ManagedNatGateway, Change::Refused),
            (ManagedNatGatewayV2, Block, Change::Refused),
            (ManagedNatGateway, ManagedNatGatewayV2, Change::Supported),
            (ManagedNatGateway, LoadBalancer, Change::Doubtful),
            (ManagedNatGateway, UserDefinedRouting, Change::Doubtful),
            (OutboundType::None, Block, Change::Supported),
            (Block, LoadBalancer, Change::Supported),
            (Block, Block, Change::Same),
        ] {
            assert_eq!(change(VnetOwner::Managed, from, to).0, expected, "{from} to {to}");
        }
    }

    #[test]
    fn changes_in_a_vnet_of_ones_own() {
        for (from, to, expected) in [
            (LoadBalancer, UserAssignedNatGateway, Change::Supported),
            (LoadBalancer, UserDefinedRouting, Change::Supported),
            (UserAssignedNatGateway, LoadBalancer, Change::Supported),
            (UserAssignedNatGateway, UserDefinedRouting, Change::Supported),
            (UserAssignedNatGateway, OutboundType::None, Change::Supported),
            (UserDefinedRouting, UserAssignedNatGateway, Change::Supported),
            (UserDefinedRouting, OutboundType::None, Change::Supported),
            (UserDefinedRouting, Block, Change::Refused),
            (OutboundType::None, UserAssignedNatGateway, Change::Supported),
            (OutboundType::None, Block, Change::Refused),
            (LoadBalancer, ManagedNatGateway, Change::Refused),
            (ManagedNatGateway, LoadBalancer, Change::Refused),
        ] {
            assert_eq!(change(VnetOwner::Own, from, to).0, expected, "{from} to {to}");
        }
    }
}
