//! The stable finding codes: one row each, with the severity a finding of that code normally has.
//!
//! A code is for ever: rows are added, never renamed or removed. Each has a page `docs/findings/CODE.md`
//! (a test in the `causeway` binary holds the two together).

use crate::finding::Severity;
use std::fmt;

/// The part of the design a code is about; pages and the checklist group by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// Ranges and single addresses.
    Addresses,
    /// Whether there is room.
    Capacity,
    /// Node masquerade configuration.
    Masquerade,
    /// Routes, outbound types, SNAT ports.
    Egress,
    /// Ingress and API server.
    Ingress,
    /// Network security groups.
    SecurityGroups,
    /// Names and private endpoints.
    Names,
    /// Pods and services that do not fit together.
    Workloads,
    /// Network policies.
    Policy,
    /// Retirements, unsupported combinations, immutable settings.
    LifeCycle,
    /// The design file itself.
    Design,
}

/// A stable finding code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Code(&'static Row);

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    name: &'static str,
    severity: Severity,
    subject: Subject,
}

impl Code {
    /// The code as printed: lower case, hyphens.
    pub fn as_str(self) -> &'static str {
        self.0.name
    }

    /// The severity a finding of this code has unless the check says otherwise.
    pub fn severity(self) -> Severity {
        self.0.severity
    }

    /// What it is about.
    pub fn subject(self) -> Subject {
        self.0.subject
    }

    /// The code of that name.
    pub fn parse(name: &str) -> Option<Code> {
        ALL.iter().copied().find(|code| code.as_str() == name)
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name)
    }
}

macro_rules! codes {
    ($($subject:ident { $($constant:ident = $name:literal $severity:ident,)* })*) => {
        $($(
            #[doc = concat!("`", $name, "`")]
            pub const $constant: Code = Code(&Row { name: $name, severity: Severity::$severity, subject: Subject::$subject });
        )*)*
        /// Every code, in the order of the table.
        pub const ALL: &[Code] = &[$($($constant,)*)*];
    };
}

codes! {
    Addresses {
        CIDR_HOST_BITS_SET = "cidr-host-bits-set" Error,
        RESERVED_RANGE = "reserved-range" Error,
        PUBLIC_RANGE_USED = "public-range-used" Warning,
        NETWORKS_OVERLAP = "networks-overlap" Error,
        SUBNET_OUTSIDE_NETWORK = "subnet-outside-network" Error,
        SUBNETS_OVERLAP = "subnets-overlap" Error,
        SERVICE_CIDR_OVERLAPS_VNET = "service-cidr-overlaps-vnet" Error,
        SERVICE_CIDR_OVERLAPS_PEER = "service-cidr-overlaps-peer" Error,
        SERVICE_CIDR_OVERLAPS_ONPREM = "service-cidr-overlaps-onprem" Error,
        SERVICE_CIDR_TOO_LARGE = "service-cidr-too-large" Error,
        POD_CIDR_OVERLAPS_VNET = "pod-cidr-overlaps-vnet" Error,
        POD_CIDR_OVERLAPS_PEER = "pod-cidr-overlaps-peer" Error,
        POD_CIDR_OVERLAPS_ONPREM = "pod-cidr-overlaps-onprem" Error,
        POD_CIDR_OVERLAPS_SERVICE_CIDR = "pod-cidr-overlaps-service-cidr" Error,
        POD_CIDR_REUSED = "pod-cidr-reused" Info,
        DNS_SERVICE_IP_OUTSIDE_SERVICE_CIDR = "dns-service-ip-outside-service-cidr" Error,
        DNS_SERVICE_IP_IS_FIRST_ADDRESS = "dns-service-ip-is-first-address" Error,
        ADDRESS_OUTSIDE_RANGE = "address-outside-range" Error,
        ADDRESS_USED_TWICE = "address-used-twice" Error,
        SUBNET_SIZE_REFUSED = "subnet-size-refused" Error,
        POD_CIDR_CHANGE_NOT_SUPERSET = "pod-cidr-change-not-superset" Error,
    }
    Capacity {
        SUBNET_FULL = "subnet-full" Error,
        NO_ROOM_FOR_SURGE = "no-room-for-surge" Error,
        NO_ROOM_FOR_MAX = "no-room-for-max" Error,
        NO_ROOM_FOR_GROWTH = "no-room-for-growth" Warning,
        NO_ROOM_AFTER_LOSS = "no-room-after-loss" Warning,
        POD_CIDR_EXHAUSTED = "pod-cidr-exhausted" Error,
        SERVICE_CIDR_EXHAUSTED = "service-cidr-exhausted" Error,
        POD_SUBNET_STRANDED_ADDRESSES = "pod-subnet-stranded-addresses" Warning,
        STATIC_BLOCK_WASTE = "static-block-waste" Info,
        MAX_PODS_LOW = "max-pods-low" Info,
        MAX_PODS_OUT_OF_RANGE = "max-pods-out-of-range" Error,
        NODE_LIMIT_EXCEEDED = "node-limit-exceeded" Error,
        SUBNET_SHARED = "subnet-shared" Warning,
        UTILISATION_ABOVE_ALARM = "utilisation-above-alarm" Warning,
    }
    Masquerade {
        MASQ_CONFIG_REJECTED = "masq-config-rejected" Error,
        MASQ_ITEM_NULL = "masq-item-null" Error,
        MASQ_LIST_EMPTY = "masq-list-empty" Error,
        MASQ_FILE_IGNORED = "masq-file-ignored" Warning,
        MASQ_UNKNOWN_KEY = "masq-unknown-key" Info,
        MASQ_KEY_REPEATED = "masq-key-repeated" Warning,
        MASQ_PREFIX_MISREAD = "masq-prefix-misread" Error,
        MASQ_ENTRY_REDUNDANT = "masq-entry-redundant" Info,
        MASQ_FILES_CONTRADICT = "masq-files-contradict" Warning,
        MASQ_CONFIG_UNKNOWN = "masq-config-unknown" Warning,
        MASQ_AGENT_BYPASSED = "masq-agent-bypassed" Error,
        MASQ_AGENTS_COMPETE = "masq-agents-compete" Error,
        MASQ_HIDES_INTRA_CLUSTER_TRAFFIC = "masq-hides-intra-cluster-traffic" Error,
        EXEMPT_DESTINATION_CANNOT_ROUTE_BACK = "exempt-destination-cannot-route-back" Error,
        LEFTOVER_MASQ_CONFIG = "leftover-masq-config" Error,
        POD_SUBNET_CONTROL_BYPASSED_BY_MASQUERADE = "pod-subnet-control-bypassed-by-masquerade" Warning,
        PLATFORM_ADDRESS_NEEDS_SNAT = "platform-address-needs-snat" Error,
        NAT_EXCEPTIONS_MISS_VNET_PREFIX = "nat-exceptions-miss-vnet-prefix" Error,
        KUBE_PROXY_CLUSTER_CIDR_MISSES_PODS = "kube-proxy-cluster-cidr-misses-pods" Error,
        SOURCE_IDENTITY_CHANGES = "source-identity-changes" Warning,
    }
    Egress {
        OUTBOUND_NOT_EXPLICIT = "outbound-not-explicit" Warning,
        UDR_WITHOUT_DEFAULT_ROUTE = "udr-without-default-route" Error,
        ROUTE_NEVER_MATCHES = "route-never-matches" Warning,
        ASYMMETRIC_RETURN_THROUGH_STATEFUL_HOP = "asymmetric-return-through-stateful-hop" Error,
        FIREWALL_BYPASSED_BY_PRIVATE_ENDPOINT_ROUTE = "firewall-bypassed-by-private-endpoint-route" Error,
        PRIVATE_API_ENDPOINT_RETURN_THROUGH_FIREWALL = "private-api-endpoint-return-through-firewall" Warning,
        CLIENT_ADDRESS_LOST = "client-address-lost" Info,
        SNAT_BUDGET_EXCEEDED = "snat-budget-exceeded" Error,
        SNAT_BUDGET_HAS_NO_HEADROOM = "snat-budget-has-no-headroom" Warning,
        SNAT_PORTS_HALVE = "snat-ports-halve" Warning,
        FIREWALL_SNAT_EXHAUSTED = "firewall-snat-exhausted" Warning,
        POOLS_DIFFER_IN_EGRESS = "pools-differ-in-egress" Warning,
        OUTBOUND_CHANGE_UNSUPPORTED = "outbound-change-unsupported" Error,
        OUTBOUND_SETTING_OUT_OF_RANGE = "outbound-setting-out-of-range" Error,
        ROUTE_TABLE_MISSING = "route-table-missing" Error,
        NODE_PUBLIC_IP = "node-public-ip" Warning,
        FIREWALL_WITHOUT_POLICY = "firewall-without-policy" Info,
        NAT_GATEWAY_MISSING = "nat-gateway-missing" Error,
        NEXT_HOP_UNREACHABLE = "next-hop-unreachable" Error,
        PEERING_INCOMPLETE = "peering-incomplete" Warning,
        ROUTE_LIMIT_EXCEEDED = "route-limit-exceeded" Error,
        AUTHORIZED_RANGES_MISS_EGRESS = "authorized-ranges-miss-egress" Error,
        INTERNAL_LB_LOCAL_UNREACHABLE = "internal-lb-local-unreachable" Warning,
    }
    Ingress {
        INGRESS_SUBNET_UNFIT = "ingress-subnet-unfit" Error,
        API_SERVER_SUBNET_UNFIT = "api-server-subnet-unfit" Error,
        AUTHORIZED_RANGES_INVALID = "authorized-ranges-invalid" Error,
        API_SERVER_OPEN_TO_INTERNET = "api-server-open-to-internet" Warning,
        FRONTEND_PORT_CONFLICT = "frontend-port-conflict" Error,
        CLIENT_PATH_MISSING = "client-path-missing" Warning,
    }
    SecurityGroups {
        NSG_BLOCKS_NODE_TRAFFIC = "nsg-blocks-node-traffic" Error,
        NSG_MISSES_POD_CIDR = "nsg-misses-pod-cidr" Error,
        NSG_BLOCKS_REQUIRED_EGRESS = "nsg-blocks-required-egress" Error,
        NSG_OPEN_TO_INTERNET = "nsg-open-to-internet" Warning,
        SUBNET_WITHOUT_NSG = "subnet-without-nsg" Info,
    }
    Names {
        PRIVATE_ZONE_NOT_LINKED = "private-zone-not-linked" Error,
        PRIVATE_ENDPOINT_UNREACHABLE = "private-endpoint-unreachable" Error,
        PRIVATE_ENDPOINT_NAME_GOES_PUBLIC = "private-endpoint-name-goes-public" Error,
        PRIVATE_ZONE_SHADOWS_FOREIGN_NAME = "private-zone-shadows-foreign-name" Warning,
        DNS_UPSTREAMS_DISAGREE = "dns-upstreams-disagree" Error,
        SINGLE_DNS_SERVER = "single-dns-server" Info,
        SERVICE_ENDPOINTS_INSTEAD_OF_PRIVATE_LINK = "service-endpoints-instead-of-private-link" Info,
    }
    Workloads {
        SERVICE_SELECTS_NOTHING = "service-selects-nothing" Warning,
        SERVICE_TARGET_PORT_MISSING = "service-target-port-missing" Warning,
        POD_USES_HOST_NETWORK = "pod-uses-host-network" Info,
    }
    Policy {
        NAMESPACE_WITHOUT_POLICY = "namespace-without-policy" Info,
        POLICY_NOT_ENFORCED = "policy-not-enforced" Error,
        POLICY_INVALID = "policy-invalid" Error,
        EGRESS_POLICY_WITHOUT_DNS = "egress-policy-without-dns" Error,
        IPBLOCK_COVERS_POD_OR_NODE_RANGE = "ipblock-covers-pod-or-node-range" Error,
        NODE_EGRESS_NEEDS_ENGINE_POLICY = "node-egress-needs-engine-policy" Error,
        SELECTOR_POLICY_DEFEATED_BY_SNAT = "selector-policy-defeated-by-snat" Error,
        POLICY_CUTS_INGRESS_CONTROLLER = "policy-cuts-ingress-controller" Warning,
        POLICY_CUTS_OBSERVABILITY = "policy-cuts-observability" Warning,
        POLICY_SELECTS_NOTHING = "policy-selects-nothing" Warning,
        POLICY_FANOUT_EXCEEDS_MAP = "policy-fanout-exceeds-map" Warning,
        POLICY_RULE_SHADOWED = "policy-rule-shadowed" Info,
    }
    LifeCycle {
        MODE_RETIRING = "mode-retiring" Warning,
        POLICY_ENGINE_RETIRING = "policy-engine-retiring" Warning,
        COMBINATION_UNSUPPORTED = "combination-unsupported" Error,
        SUBNET_DELEGATED = "subnet-delegated" Error,
        VM_IN_POD_SUBNET = "vm-in-pod-subnet" Error,
        FEATURE_RETIRING = "feature-retiring" Warning,
        AGENT_MANIFEST_MISCONFIGURED = "agent-manifest-misconfigured" Warning,
        MIGRATION_BLOCKED = "migration-blocked" Error,
        MAX_SURGE_NOT_SET = "max-surge-not-set" Info,
        SERVICE_CIDR_IMMUTABLE = "service-cidr-immutable" Error,
    }
    Design {
        NOTHING_TO_CHECK = "nothing-to-check" Warning,
        ACCEPTANCE_MATCHES_NOTHING = "acceptance-matches-nothing" Info,
        EXPORTS_DISAGREE = "exports-disagree" Warning,
        RECORD_ANSWERS_NOTHING = "record-answers-nothing" Info,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_unique_and_parse_back() {
        let names: BTreeSet<_> = ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(names.len(), ALL.len());
        for code in ALL {
            assert_eq!(Code::parse(code.as_str()), Some(*code));
            assert!(code.as_str().bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{code}");
        }
        assert_eq!(Code::parse("no-such-code"), None);
    }
}
