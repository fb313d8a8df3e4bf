//! The kinds of Azure objects this program understands: their types, and the keys by which an object shows what it is
//! when it does not say so.

use super::resource::ResourceId;
use crate::tree::{Node, Value};

/// A kind of Azure object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// `az aks show`, `list`.
    Cluster,
    /// The `networkProfile` of a cluster alone.
    NetworkProfile,
    /// `az aks nodepool show`, `list`, or a cluster's `agentPoolProfiles`.
    NodePool,
    /// `az network vnet show`, `list`.
    VirtualNetwork,
    /// `az network vnet subnet show`, `list`.
    Subnet,
    /// `az network vnet peering show`, `list`.
    Peering,
    /// `az network nsg show`, `list`.
    SecurityGroup,
    /// `az network nsg rule show`, `list`.
    SecurityRule,
    /// `az network route-table show`, `list`.
    RouteTable,
    /// `az network route-table route show`, `list`.
    Route,
    /// `az network nat gateway show`, `list`.
    NatGateway,
    /// `az network public-ip show`, `list`.
    PublicIp,
    /// `az network public-ip prefix show`, `list`.
    PublicIpPrefix,
    /// `az network lb show`, `list`.
    LoadBalancer,
    /// `az network application-gateway show`, `list`.
    ApplicationGateway,
    /// Application Gateway for Containers.
    TrafficController,
    /// The subnet of an Application Gateway for Containers.
    TrafficControllerAssociation,
    /// `az network firewall show`, `list`.
    Firewall,
    /// `az network firewall policy show`, `list`.
    FirewallPolicy,
    /// `az network firewall policy rule-collection-group show`, `list`.
    RuleCollectionGroup,
    /// A rule collection of such a group alone.
    RuleCollection,
    /// `az network ip-group show`, `list`.
    IpGroup,
    /// `az network private-endpoint show`, `list`.
    PrivateEndpoint,
    /// `az network private-dns zone show`, `list`.
    PrivateDnsZone,
    /// `az network private-dns link vnet show`, `list`.
    PrivateDnsLink,
    /// `az network private-dns record-set list`.
    PrivateDnsRecords,
    /// `az network nic show`, `list`.
    NetworkInterface,
    /// `az network nic show-effective-route-table`.
    EffectiveRoutes,
    /// `az network vnet-gateway show`, `list`.
    VirtualNetworkGateway,
    /// `az network local-gateway show`, `list`.
    LocalNetworkGateway,
    /// `az network vpn-connection show`, `list`.
    Connection,
}

/// What is known about a kind.
struct Row {
    kind: Kind,
    /// The word of `--as`.
    word: &'static str,
    /// The type in lower case; empty for what has none.
    arm: &'static str,
    /// Sets of keys: an object that has all of one set, and none of `without`, looks like this kind.
    with: &'static [&'static [&'static str]],
    without: &'static [&'static str],
}

macro_rules! rows {
    ($($kind:ident $word:literal $arm:literal [$([$($with:literal)*])*] [$($without:literal)*])*) => {
        const ROWS: &[Row] = &[$(Row {
            kind: Kind::$kind,
            word: $word,
            arm: $arm,
            with: &[$(&[$($with),*]),*],
            without: &[$($without),*],
        },)*];

        /// The words of `--as` for single kinds of Azure objects.
        pub const WORDS: &[&str] = &[$($word),*];
    };
}

rows! {
    Cluster "aks" "microsoft.containerservice/managedclusters"
        [["agentPoolProfiles"] ["networkProfile" "nodeResourceGroup"] ["networkProfile" "kubernetesVersion"]] []
    NetworkProfile "network-profile" ""
        [["networkPlugin" "serviceCidr"] ["networkPlugin" "dnsServiceIP"] ["networkPlugin" "outboundType"]
         ["networkPlugin" "loadBalancerSku"] ["networkPlugin" "networkPluginMode"] ["networkPlugin" "podCidr"]] []
    NodePool "nodepool" "microsoft.containerservice/managedclusters/agentpools"
        [["maxPods" "vmSize"] ["maxPods" "vnetSubnetID"] ["maxPods" "osType"] ["orchestratorVersion" "vmSize"]] []
    VirtualNetwork "vnet" "microsoft.network/virtualnetworks"
        [["addressSpace"]] ["remoteVirtualNetwork" "vpnGateway" "virtualNetworkGateway1"]
    Subnet "subnet" "microsoft.network/virtualnetworks/subnets"
        [["addressPrefix" "privateEndpointNetworkPolicies"] ["addressPrefixes" "privateEndpointNetworkPolicies"]
         ["addressPrefix" "delegations"] ["addressPrefixes" "delegations"] ["addressPrefix" "ipConfigurations"]
         ["addressPrefixes" "ipConfigurations"] ["addressPrefix" "networkSecurityGroup"]
         ["addressPrefixes" "networkSecurityGroup"] ["addressPrefix" "routeTable"] ["addressPrefixes" "routeTable"]
         ["addressPrefix" "serviceEndpoints"] ["addressPrefixes" "serviceEndpoints"]] ["nextHopType" "remoteVirtualNetwork"]
    Peering "peering" "microsoft.network/virtualnetworks/virtualnetworkpeerings"
        [["remoteVirtualNetwork"]] ["hubVirtualNetworkConnections"]
    SecurityGroup "nsg" "microsoft.network/networksecuritygroups"
        [["securityRules"] ["defaultSecurityRules"]] ["effectiveSecurityRules"]
    SecurityRule "nsg-rule" "microsoft.network/networksecuritygroups/securityrules"
        [["access" "direction" "priority"]] []
    RouteTable "route-table" "microsoft.network/routetables"
        [["disableBgpRoutePropagation" "routes"] ["routes" "subnets"]] ["nextHopType"]
    Route "route" "microsoft.network/routetables/routes"
        [["nextHopType" "addressPrefix"]] ["state" "source"]
    NatGateway "nat-gateway" "microsoft.network/natgateways"
        [["publicIpAddresses" "idleTimeoutInMinutes"] ["publicIpPrefixes" "idleTimeoutInMinutes"]
         ["publicIpAddresses" "publicIpPrefixes"]] []
    PublicIp "public-ip" "microsoft.network/publicipaddresses"
        [["publicIPAllocationMethod"] ["ipAddress" "publicIPAddressVersion"]] []
    PublicIpPrefix "public-ip-prefix" "microsoft.network/publicipprefixes"
        [["ipPrefix"] ["prefixLength" "publicIPAddressVersion"]] []
    LoadBalancer "lb" "microsoft.network/loadbalancers"
        [["frontendIPConfigurations" "loadBalancingRules"] ["frontendIPConfigurations" "outboundRules"]] ["gatewayIPConfigurations"]
    ApplicationGateway "application-gateway" "microsoft.network/applicationgateways"
        [["gatewayIPConfigurations" "httpListeners"]] []
    TrafficController "traffic-controller" "microsoft.servicenetworking/trafficcontrollers"
        [["associations" "frontends"]] []
    TrafficControllerAssociation "traffic-controller-association" "microsoft.servicenetworking/trafficcontrollers/associations"
        [["associationType"]] []
    Firewall "firewall" "microsoft.network/azurefirewalls"
        [["networkRuleCollections"] ["hubIPAddresses"] ["ipConfigurations" "firewallPolicy"] ["ipConfigurations" "threatIntelMode"]] []
    FirewallPolicy "firewall-policy" "microsoft.network/firewallpolicies"
        [["ruleCollectionGroups"]] []
    RuleCollectionGroup "rule-collection-group" "microsoft.network/firewallpolicies/rulecollectiongroups"
        [["ruleCollections"]] []
    RuleCollection "rule-collection" ""
        [["ruleCollectionType" "rules"]] []
    IpGroup "ip-group" "microsoft.network/ipgroups"
        [["ipAddresses" "firewalls"] ["ipAddresses" "firewallPolicies"]] []
    PrivateEndpoint "private-endpoint" "microsoft.network/privateendpoints"
        [["privateLinkServiceConnections" "subnet"] ["manualPrivateLinkServiceConnections" "subnet"] ["customDnsConfigs" "subnet"]] []
    PrivateDnsZone "private-dns-zone" "microsoft.network/privatednszones"
        [["numberOfRecordSets"] ["numberOfVirtualNetworkLinks"]] []
    PrivateDnsLink "private-dns-link" "microsoft.network/privatednszones/virtualnetworklinks"
        [["registrationEnabled" "virtualNetwork"]] []
    PrivateDnsRecords "private-dns-records" "microsoft.network/privatednszones/a"
        [["aRecords" "ttl"] ["aaaaRecords" "ttl"] ["aRecords" "fqdn"] ["aaaaRecords" "fqdn"]] []
    NetworkInterface "nic" "microsoft.network/networkinterfaces"
        [["ipConfigurations" "enableIPForwarding"] ["ipConfigurations" "enableAcceleratedNetworking"]
         ["ipConfigurations" "virtualMachine"] ["ipConfigurations" "macAddress"]] []
    EffectiveRoutes "effective-routes" ""
        [["nextHopType" "state"] ["nextHopType" "source"]] []
    VirtualNetworkGateway "vnet-gateway" "microsoft.network/virtualnetworkgateways"
        [["gatewayType" "ipConfigurations"] ["vpnType" "ipConfigurations"]] []
    LocalNetworkGateway "local-gateway" "microsoft.network/localnetworkgateways"
        [["localNetworkAddressSpace"]] []
    Connection "vpn-connection" "microsoft.network/connections"
        [["connectionType" "virtualNetworkGateway1"]] []
}

/// Whether objects of a type, in any case, have a part in a design.
pub fn knows(arm: &str) -> bool {
    Kind::of_type(arm).is_some()
}

/// Types of record sets that are read; all of them are [`Kind::PrivateDnsRecords`].
const RECORD_SETS: &str = "microsoft.network/privatednszones/";

impl Kind {
    /// The kind behind a word of `--as`.
    pub fn parse(word: &str) -> Option<Kind> {
        ROWS.iter().find(|row| row.word == word).map(|row| row.kind)
    }

    /// The word of `--as`.
    pub fn as_str(self) -> &'static str {
        ROWS.iter().find(|row| row.kind == self).map_or("", |row| row.word)
    }

    /// The type in lower case; empty for parts of objects, which have none.
    pub(super) fn arm(self) -> &'static str {
        ROWS.iter().find(|row| row.kind == self).map_or("", |row| row.arm)
    }

    /// The kind of a type, in any case. `None` for types this program has no use for.
    pub(super) fn of_type(arm: &str) -> Option<Kind> {
        Kind::of_lower(&arm.to_ascii_lowercase())
    }

    /// The kind of the object an id is of.
    pub(super) fn of(id: &ResourceId) -> Option<Kind> {
        id.known()
    }

    /// The kind of a type in lower case.
    pub(super) fn of_lower(arm: &str) -> Option<Kind> {
        let known = ROWS.iter().find(|row| !row.arm.is_empty() && row.arm == arm).map(|row| row.kind);
        known.or_else(|| {
            let record_type = arm.strip_prefix(RECORD_SETS)?;
            (!record_type.contains('/')).then_some(Kind::PrivateDnsRecords)
        })
    }

    /// Whether an object has any of the keys by which this kind shows itself.
    pub(super) fn shows_in(self, node: &Node) -> bool {
        let inner = node.get_ci("properties");
        let has = |key: &str| node.get_ci(key).is_some() || inner.is_some_and(|inner| inner.get_ci(key).is_some());
        let keys = ROWS.iter().filter(|row| row.kind == self).flat_map(|row| row.with).copied().flatten();
        keys.into_iter().any(|key| has(key))
    }

    /// The kinds an object may be that does not say what it is. One: that is it. Several: it can't be told.
    pub(super) fn candidates(node: &Node) -> Vec<Kind> {
        if !matches!(node.value, Value::Map(_)) || node.get_ci("metadata").is_some() {
            return Vec::new();
        }
        let has = |key: &&str| {
            let inner = node.get_ci("properties");
            node.get_ci(key).is_some() || inner.is_some_and(|inner| inner.get_ci(key).is_some())
        };
        let fits = |row: &&Row| row.with.iter().any(|keys| keys.iter().all(&has)) && !row.without.iter().any(&has);
        ROWS.iter().filter(fits).map(|row| row.kind).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn words_and_types_are_unique() {
        let words: BTreeSet<_> = WORDS.iter().collect();
        assert_eq!(words.len(), ROWS.len());
        for row in ROWS {
            assert_eq!(Kind::parse(row.word), Some(row.kind));
            assert_eq!(row.kind.as_str(), row.word);
            if !row.arm.is_empty() {
                assert_eq!(Kind::of_type(&row.arm.to_uppercase()), Some(row.kind), "{}", row.arm);
            }
        }
        assert_eq!(Kind::of_type("Microsoft.Network/privateDnsZones/AAAA"), Some(Kind::PrivateDnsRecords));
        assert_eq!(Kind::of_type("Microsoft.Compute/virtualMachines"), None);
    }
}
