//! Keys of an export that nobody knows: a newer version of Azure has them, and what they change is not in the design.
//! Keys that are known and have no part in a design (disks, tags, states) are listed here, so that the rest stands out.

use super::kind::Kind;
use super::translate::Translation;
use super::value::path;
use crate::tree::{Node, Value};
use causeway_model::source::Span;
use std::collections::{BTreeMap, BTreeSet};

/// Keys of one mapping inside an object: where it is, and what is known in it.
struct Level {
    kind: Kind,
    at: &'static [&'static str],
    known: &'static str,
}

/// Known in every object.
const EVERYWHERE: &str = "id name type location tags sku kind identity resourceGroup managedBy plan zones extendedLocation \
    etag createdTime changedTime provisioningState subscriptionId tenantId apiVersion systemData resourceGuid properties \
    typePropertiesType createTime dependsOn comments resources condition provisioningErrors errors";

const LEVELS: &[Level] = &[
    Level {
        kind: Kind::Cluster,
        at: &[],
        known: "agentPoolProfiles networkProfile apiServerAccessProfile nodeResourceGroup \
        kubernetesVersion currentKubernetesVersion addonProfiles ingressProfile serviceMeshProfile nodeProvisioningProfile powerState \
        hostedSystemProfile publicNetworkAccess aadProfile autoScalerProfile autoUpgradeProfile azureMonitorProfile azurePortalFqdn \
        bootstrapProfile creationData creationProperties disableLocalAccounts diskEncryptionSetId dnsPrefix enableNamespaceResources \
        enablePodSecurityPolicy enableRbac fqdn fqdnSubdomain httpProxyConfig identityProfile kubeletIdentity linuxProfile maxAgentPools \
        metricsProfile aiToolchainOperatorProfile nodeResourceGroupProfile oidcIssuerProfile podIdentityProfile privateFqdn \
        privateLinkResources resourceUid schedulerProfile securityProfile servicePrincipalProfile status storageProfile supportPlan \
        upgradeSettings windowsProfile workloadAutoScalerProfile controlPlanePluginProfiles healthMonitorProfile enableFIPS",
    },
    Level {
        kind: Kind::Cluster,
        at: &["networkProfile"],
        known: "networkPlugin networkPluginMode networkDataplane networkPolicy networkMode \
        podCidr podCidrs serviceCidr serviceCidrs dnsServiceIP ipFamilies outboundType loadBalancerSku loadBalancerProfile \
        natGatewayProfile advancedNetworking staticEgressGatewayProfile kubeProxyConfig dockerBridgeCidr podLinkLocalAccess \
        monitoring ebpfDataplane",
    },
    Level {
        kind: Kind::Cluster,
        at: &["networkProfile", "loadBalancerProfile"],
        known: "allocatedOutboundPorts backendPoolType \
        effectiveOutboundIPs enableMultipleStandardLoadBalancers idleTimeoutInMinutes managedOutboundIPs outboundIPs outboundIPPrefixes \
        clusterServiceLoadBalancerHealthProbeMode",
    },
    Level {
        kind: Kind::Cluster,
        at: &["networkProfile", "natGatewayProfile"],
        known: "effectiveOutboundIPs idleTimeoutInMinutes managedOutboundIPProfile",
    },
    Level {
        kind: Kind::Cluster,
        at: &["networkProfile", "advancedNetworking"],
        known: "enabled observability security performance",
    },
    Level {
        kind: Kind::Cluster,
        at: &["apiServerAccessProfile"],
        known: "authorizedIPRanges disableRunCommand enablePrivateCluster \
        enablePrivateClusterPublicFQDN enableVnetIntegration privateDNSZone subnetId",
    },
    Level { kind: Kind::Cluster, at: &["ingressProfile"], known: "webAppRouting gatewayAPI applicationLoadBalancer" },
    Level {
        kind: Kind::NodePool,
        at: &[],
        known: "count enableAutoScaling minCount maxCount maxPods vnetSubnetID podSubnetID podIPAllocationMode \
        enableNodePublicIP nodePublicIPPrefixID networkProfile upgradeSettings upgradeSettingsBlueGreen upgradeStrategy osType osSKU vmSize \
        availabilityZones nodeTaints nodeLabels mode scaleSetPriority localDNSProfile powerState virtualMachinesProfile \
        virtualMachineNodesStatus artifactStreamingProfile capacityReservationGroupID creationData currentOrchestratorVersion \
        enableCustomCATrust enableEncryptionAtHost enableFIPS enableOSDiskFullCaching enableUltraSSD gatewayProfile gpuInstanceProfile \
        gpuProfile hostGroupID kubeletConfig kubeletDiskType linuxOSConfig messageOfTheDay nodeCustomizationProfile nodeImageVersion \
        nodeInitializationTaints orchestratorVersion osDiskSizeGB osDiskType podAllocationMode proximityPlacementGroupID scaleDownMode \
        scaleSetEvictionPolicy securityProfile spotMaxPrice status windowsProfile workloadRuntime preparedImageSpecificationProfile",
    },
    Level {
        kind: Kind::NodePool,
        at: &["upgradeSettings"],
        known: "maxSurge maxUnavailable drainTimeoutInMinutes nodeSoakDurationInMinutes \
        undrainableNodeBehavior maxBlockedNodes minSurge",
    },
    Level {
        kind: Kind::VirtualNetwork,
        at: &[],
        known: "addressSpace dhcpOptions subnets virtualNetworkPeerings bgpCommunities ddosProtectionPlan \
        defaultPublicNatGateway enableDdosProtection enableVmProtection encryption flowLogs flowTimeoutInMinutes ipAllocations \
        privateEndpointVNetPolicies summarizedGatewayPrefixes",
    },
    Level {
        kind: Kind::VirtualNetwork,
        at: &["addressSpace"],
        known: "addressPrefixes addressPrefix ipamPoolPrefixAllocations",
    },
    Level {
        kind: Kind::Subnet,
        at: &[],
        known: "addressPrefix addressPrefixes networkSecurityGroup routeTable natGateway delegations \
        serviceEndpoints privateEndpoints ipConfigurations privateEndpointNetworkPolicies privateLinkServiceNetworkPolicies \
        defaultOutboundAccess ipamPoolPrefixAllocations applicationGatewayIPConfigurations ipAllocations ipConfigurationProfiles \
        networkIdentifier purpose resourceNavigationLinks serviceAssociationLinks serviceEndpointPolicies serviceGateway sharingScope",
    },
    Level {
        kind: Kind::Peering,
        at: &[],
        known: "allowForwardedTraffic allowGatewayTransit allowVirtualNetworkAccess useRemoteGateways \
        peerCompleteVnets addressSpacesOfAllPeers localSubnetNames remoteSubnetNames localAddressSpace localVirtualNetworkAddressSpace remoteAddressSpace \
        remoteVirtualNetworkAddressSpace remoteVirtualNetwork peeringState peeringSyncLevel doNotVerifyRemoteGateways enableOnlyIPv6Peering \
        remoteBgpCommunities remoteVirtualNetworkEncryption",
    },
    Level {
        kind: Kind::SecurityGroup,
        at: &[],
        known: "securityRules defaultSecurityRules subnets networkInterfaces flowLogs flushConnection",
    },
    Level {
        kind: Kind::SecurityRule,
        at: &[],
        known: "access description direction priority protocol sourceAddressPrefix sourceAddressPrefixes \
        sourceApplicationSecurityGroups sourcePortRange sourcePortRanges destinationAddressPrefix destinationAddressPrefixes \
        destinationApplicationSecurityGroups destinationPortRange destinationPortRanges",
    },
    Level { kind: Kind::RouteTable, at: &[], known: "disableBgpRoutePropagation routes subnets" },
    Level { kind: Kind::Route, at: &[], known: "addressPrefix nextHopType nextHopIpAddress hasBgpOverride" },
    Level {
        kind: Kind::NatGateway,
        at: &[],
        known: "publicIpAddresses publicIpAddressesV6 publicIpPrefixes publicIpPrefixesV6 subnets \
        idleTimeoutInMinutes sourceVirtualNetwork",
    },
    Level {
        kind: Kind::PublicIp,
        at: &[],
        known: "ipAddress publicIPAddressVersion publicIPAllocationMethod publicIPPrefix ipConfiguration \
        natGateway idleTimeoutInMinutes ipTags dnsSettings ddosSettings deleteOption linkedPublicIPAddress migrationPhase servicePublicIPAddress",
    },
    Level {
        kind: Kind::PublicIpPrefix,
        at: &[],
        known: "ipPrefix prefixLength publicIPAddressVersion publicIPAddresses ipTags customIPPrefix \
        loadBalancerFrontendIpConfiguration natGateway",
    },
    Level {
        kind: Kind::LoadBalancer,
        at: &[],
        known: "frontendIPConfigurations backendAddressPools loadBalancingRules outboundRules inboundNatRules \
        inboundNatPools probes scope",
    },
    Level {
        kind: Kind::Firewall,
        at: &[],
        known: "ipConfigurations managementIpConfiguration hubIPAddresses virtualHub firewallPolicy \
        networkRuleCollections natRuleCollections applicationRuleCollections additionalProperties threatIntelMode autoscaleConfiguration \
        ipGroups extendedProperties",
    },
    Level {
        kind: Kind::FirewallPolicy,
        at: &[],
        known: "ruleCollectionGroups basePolicy childPolicies firewalls snat sql threatIntelMode \
        threatIntelWhitelist dnsSettings explicitProxy insights intrusionDetection transportSecurity size",
    },
    Level { kind: Kind::RuleCollectionGroup, at: &[], known: "priority ruleCollections size" },
    Level { kind: Kind::IpGroup, at: &[], known: "ipAddresses firewalls firewallPolicies" },
    Level {
        kind: Kind::PrivateEndpoint,
        at: &[],
        known: "subnet networkInterfaces ipConfigurations customDnsConfigs privateLinkServiceConnections \
        manualPrivateLinkServiceConnections applicationSecurityGroups customNetworkInterfaceName ipVersionType privateDnsZoneGroups",
    },
    Level {
        kind: Kind::PrivateDnsZone,
        at: &[],
        known: "numberOfRecordSets maxNumberOfRecordSets numberOfVirtualNetworkLinks \
        maxNumberOfVirtualNetworkLinks numberOfVirtualNetworkLinksWithRegistration maxNumberOfVirtualNetworkLinksWithRegistration internalId",
    },
    Level {
        kind: Kind::PrivateDnsLink,
        at: &[],
        known: "virtualNetwork registrationEnabled resolutionPolicy virtualNetworkLinkState",
    },
    Level {
        kind: Kind::PrivateDnsRecords,
        at: &[],
        known: "aRecords aaaaRecords cnameRecord mxRecords ptrRecords soaRecord srvRecords txtRecords \
        ttl fqdn isAutoRegistered metadata",
    },
    Level {
        kind: Kind::NetworkInterface,
        at: &[],
        known: "ipConfigurations networkSecurityGroup virtualMachine privateEndpoint enableIPForwarding \
        enableAcceleratedNetworking primary macAddress dnsSettings hostedWorkloads tapConfigurations nicType auxiliaryMode auxiliarySku \
        vnetEncryptionSupported disableTcpStateTracking allowPort25Out defaultOutboundConnectivityEnabled dscpConfiguration \
        migrationPhase networkInterfaceTapConfigurations privateLinkService workloadType",
    },
    Level {
        kind: Kind::VirtualNetworkGateway,
        at: &[],
        known: "gatewayType ipConfigurations vpnType vpnGatewayGeneration activeActive active \
        enableBgp enableBgpRouteTranslationForNat bgpSettings gatewayDefaultSite vpnClientConfiguration customRoutes natRules \
        allowRemoteVnetTraffic allowVirtualWanTraffic adminState autoScaleConfiguration disableIPSecReplayProtection enableDnsForwarding \
        enableHighBandwidthVpnGateway enablePrivateIpAddress inboundDnsForwardingEndpoint resiliencyModel vNetExtendedLocationResourceId \
        virtualNetworkGatewayPolicyGroups",
    },
    Level {
        kind: Kind::LocalNetworkGateway,
        at: &[],
        known: "localNetworkAddressSpace gatewayIpAddress fqdn bgpSettings",
    },
    Level {
        kind: Kind::Connection,
        at: &[],
        known: "connectionType virtualNetworkGateway1 virtualNetworkGateway2 localNetworkGateway2 peer \
        connectionStatus connectionMode connectionProtocol authorizationKey dpdTimeoutSeconds egressBytesTransferred enableBgp \
        enablePrivateLinkFastPath expressRouteGatewayBypass gatewayCustomBgpIpAddresses egressNatRules ingressNatRules \
        ingressBytesTransferred ipsecPolicies routingWeight sharedKey trafficSelectorPolicies tunnelConnectionStatus tunnelProperties \
        useLocalAzureIpAddress usePolicyBasedTrafficSelectors authenticationType certificateAuthentication",
    },
];

/// Notes every key once for all objects of its kind.
pub(super) fn report(cx: &mut Translation) {
    let levels: Vec<(&Level, BTreeSet<String>)> = LEVELS.iter().map(|level| (level, known(level))).collect();
    let mut found: BTreeMap<(Kind, String), (Span, usize, String)> = BTreeMap::new();
    for object in cx.inventory.all() {
        let kind = object.kind;
        for (level, known) in levels.iter().filter(|(level, _)| level.kind == kind) {
            for mapping in object.bodies.iter().filter_map(|body| path(body, level.at)) {
                let inner = mapping.get_ci("properties").filter(|_| level.at.is_empty()).map_or(&[][..], Node::entries);
                for entry in mapping.entries().iter().chain(inner) {
                    if !says_something(&entry.node) || known.contains(&entry.key.to_ascii_lowercase()) {
                        continue;
                    }
                    let whole = level.at.iter().copied().chain([entry.key.as_ref()]).collect::<Vec<_>>().join(".");
                    let place = found.entry((kind, whole.to_lowercase())).or_insert((entry.key_span, 0, whole));
                    place.1 += 1;
                }
            }
        }
    }
    for ((kind, _), (span, count, key)) in found {
        let objects = if count == 1 { "one object".to_owned() } else { format!("{count} objects") };
        cx.not_understood(span, format!("`{key}` in {objects} of the kind `{}`", kind.as_str()));
    }
}

fn known(level: &Level) -> BTreeSet<String> {
    EVERYWHERE.split_whitespace().chain(level.known.split_whitespace()).map(str::to_ascii_lowercase).collect()
}

/// Null, nothing and `false` are what a feature says that is not used.
fn says_something(node: &Node) -> bool {
    match &node.value {
        Value::Scalar(scalar) => !node.is_null() && !scalar.text.is_empty() && node.as_bool_12() != Some(false),
        Value::Seq(items) => !items.is_empty(),
        Value::Map(entries) => !entries.is_empty(),
    }
}
