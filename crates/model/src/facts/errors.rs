//! Error codes of the platform, so that a finding can say what the platform would.

/// An error code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorCode {
    /// The code; several where they mean the same.
    pub codes: &'static [&'static str],
    /// What it means.
    pub meaning: &'static str,
    /// During which operation.
    pub during: &'static str,
    /// What helps.
    pub fix: &'static str,
    /// Exit code of the node's bootstrap, where it has one.
    pub exit_code: Option<u16>,
}

const fn row(
    codes: &'static [&'static str],
    meaning: &'static str,
    during: &'static str,
    fix: &'static str,
) -> ErrorCode {
    ErrorCode { codes, meaning, during, fix, exit_code: None }
}

const fn node(
    exit_code: u16,
    codes: &'static [&'static str],
    meaning: &'static str,
    during: &'static str,
    fix: &'static str,
) -> ErrorCode {
    ErrorCode { codes, meaning, during, fix, exit_code: Some(exit_code) }
}

facts! {
    /// Codes as published, meanings in our words.
    TABLE: &[ErrorCode] = &[
            row(&["InsufficientSubnetSize"], "not enough free addresses in the subnet for the requested nodes (and pods in node-subnet mode)", "create, scale, upgrade", "larger subnet in a new node pool; lower max-pods or surge"),
            row(&["SubnetIsFull"], "no address left for a new node during upgrade/scale", "upgrade, scale", "scale down; new pool on larger subnet"),
            row(&["ServiceCidrOverlapExistingSubnetsCidr"], "service CIDR overlaps a subnet of the cluster VNet (often added later)", "upgrade", "remove or resize the subnet; recreate cluster with another service CIDR"),
            row(&["DnsServiceIpOutOfServiceCidr"], "DNS service IP outside the service CIDR", "create", "choose an IP inside"),
            row(&["SubnetIsDelegated"], "node pool subnet is delegated to another service", "node pool add", "remove the delegation"),
            row(&["SubnetWithExternalResourcesCannotBeUsedByOtherResources"], "subnet holds service association links / delegated resources", "create, update, scale", "other subnet; delete the external resource"),
            row(&["InvalidLoadBalancerProfileAllocatedOutboundPorts"], "nodes x ports exceeds 64,000 x outbound IPs", "create, update", "fewer ports; more IPs"),
            node(50, &["OutboundConnFailVMExtensionError"], "node cannot reach mcr.microsoft.com:443", "create, scale, start", "open required FQDNs; fix DNS (168.63.129.16 upstream for private clusters)"),
            node(51, &["K8SAPIServerConnFailVMExtensionError"], "node cannot connect to the API server", "create, scale", "open 443 / private path"),
            node(52, &["K8SAPIServerDNSLookupFailVMExtensionError"], "API server name does not resolve", "create, scale", "link private DNS zone, forward to 168.63.129.16"),
            node(41, &["CniDownloadTimeoutVMExtensionError"], "CNI binaries cannot be downloaded", "create, scale", "open acs-mirror.azureedge.net / packages.aks.azure.com"),
            node(211, &["OrasPullNetworkTimeoutVMExtensionError"], "artifact pull timed out", "network isolated clusters", "ACR private endpoint / DNS"),
            node(212, &["OrasPullUnauthorizedVMExtensionError"], "artifact pull unauthorized", "network isolated clusters", "AcrPull for kubelet identity"),
            node(5, &["WINDOWS_CSE_ERROR_CHECK_API_SERVER_CONNECTIVITY"], "Windows node cannot reach the API server", "create, scale", "as 51"),
            row(&["VMExtensionProvisioningTimeout"], "node bootstrap timed out", "create, scale", "check egress"),
            row(&["CreateOrUpdateVirtualNetworkLinkFailed"], "private DNS zone link cannot be created", "update, upgrade", "permissions on VNet and zone"),
            row(&["CustomPrivateDNSZoneMissingPermissionError"], "identity lacks rights on custom zone", "create", "Private DNS Zone Contributor"),
            row(&["LinkedAuthorizationFailed"], "missing permission on a linked resource (subnet, route table, IP)", "create, update", "grant on the linked scope"),
            row(&["InUseRouteTableCannotBeDeleted"], "route table still associated", "delete", "disassociate"),
            row(&["PublicIPAddressCannotBeDeleted", "InUseSubnetCannotBeDeleted", "InUseNetworkSecurityGroupCannotBeDeleted"], "network resource in use", "delete", "remove dependents"),
            row(&["LoadBalancerInUseByVirtualMachineScaleSet", "NetworkSecurityGroupInUseByVirtualMachineScaleSet"], "resource attached to scale set", "delete, update", "detach"),
            row(&["CannotDeleteLoadBalancerWithPrivateLinkService", "PrivateLinkServiceWithPrivateEndpointConnectionsCannotBeDeleted"], "active private link", "delete", "delete endpoint connections"),
            row(&["PublicIPCountLimitReached"], "public IP quota", "create, upgrade", "quota"),
            row(&["QuotaExceeded", "InsufficientVCPUQuota"], "core quota (surge included)", "create, upgrade", "quota or maxUnavailable"),
            row(&["SKUNotAvailable", "AllocationFailed", "ZonalAllocationFailed", "OverconstrainedAllocationRequest"], "no capacity for surge", "upgrade, scale", "lower surge; other SKU/zone"),
            row(&["ManagedClusterCountExceedsQuotaLimit"], "managed cluster quota per region", "create", "quota"),
            row(&["RequestDisallowedByPolicy"], "Azure Policy denies (e.g. public IP creation)", "create", "exemption, other outbound type"),
            row(&["VirtualNetworkNotInSucceededState"], "VNet not in Succeeded", "create, update", "repair VNet"),
            row(&["Throttled (429)"], "AKS RP token bucket empty", "any", "honour Retry-After"),
            row(&["UnsatisfiablePDB"], "PDB blocks drain", "upgrade", "fix PDB"),
            row(&["i/o timeout on <node>:10250"], "kubelet port blocked between nodes or tunnel down", "kubectl logs/exec", "NSG 10250, konnectivity egress"),
        ],
        "err.table" Doc 2025-10-23 "aks-error-code-page.md, insufficientsubnetsize-error-advanced-networking.md";
}

/// The entry of a code, in any case.
pub fn find(code: &str) -> Option<&'static ErrorCode> {
    TABLE.value.iter().find(|row| row.codes.iter().any(|known| known.eq_ignore_ascii_case(code)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{address, snat};

    #[test]
    fn codes_other_tables_name_are_here() {
        for code in [
            snat::LB_ERROR.value,
            address::SERVICE_CIDR_OVERLAP_ERROR.value,
            address::DNS_SERVICE_IP_ERROR.value,
            "InsufficientSubnetSize",
            "SubnetIsFull",
            "SubnetIsDelegated",
        ] {
            assert!(find(code).is_some_and(|row| !row.fix.is_empty()), "{code}");
        }
        assert_eq!(find("subnetisfull").map(|row| row.codes), find("SubnetIsFull").map(|row| row.codes));
        assert_eq!(find("OutboundConnFailVMExtensionError").and_then(|row| row.exit_code), Some(50));
        assert_eq!(find("NoSuchError"), None);
    }
}
