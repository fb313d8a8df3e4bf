//! Networks and what carries packets between them.

use super::Meaning;
use crate::document::{self, Many, Named};
use causeway_addr::Cidr;
use causeway_model::design::*;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// RFC 1918 and RFC 6598: what Azure Firewall leaves untranslated by default (azure-facts `snat.azure_firewall_private_ranges`).
const FIREWALL_PRIVATE_RANGES: [Cidr; 4] = [
    Cidr::v4([10, 0, 0, 0], 8),
    Cidr::v4([172, 16, 0, 0], 12),
    Cidr::v4([192, 168, 0, 0], 16),
    Cidr::v4([100, 64, 0, 0], 10),
];

impl Meaning<'_> {
    pub(super) fn networks(&mut self, networks: Named<document::Network>) -> BTreeMap<NetworkName, Network> {
        let mut out = BTreeMap::new();
        for (name, network) in networks.0 {
            let path = format!("networks.{name}");
            if name.contains('/') {
                self.error(
                    &path,
                    format!("a network's name can't contain `/`: `{name}`"),
                    "references are written `NETWORK/SUBNET`",
                );
            }
            let kind = match network.kind {
                None => NetworkKind::Vnet,
                Some(kind) => {
                    let words = [("vnet", NetworkKind::Vnet), ("onPremises", NetworkKind::OnPremises)];
                    self.word(&format!("{path}.kind"), &kind.0, &words).unwrap_or(NetworkKind::Vnet)
                }
            };
            let value = Network {
                kind,
                location: network.location,
                prefixes: network.prefixes.unwrap_or_default().0,
                dns_servers: self.dns_servers(&format!("{path}.dnsServers"), network.dns_servers),
                subnets: self.subnets(&path, network.subnets.unwrap_or_default()),
                gateway: network.gateway.map(|gateway| self.gateway(&format!("{path}.gateway"), gateway)),
                knows: network.knows.map(|knows| knows.0),
                managed_by_aks: network.managed_by_aks.unwrap_or(false),
            };
            if value.kind == NetworkKind::Vnet && value.knows.is_some() {
                self.error(
                    &format!("{path}.knows"),
                    "`knows` is for on-premises networks",
                    "a VNet learns routes from its gateway and peerings",
                );
            }
            out.insert(NetworkName::from(name.as_str()), value);
        }
        out
    }

    fn dns_servers(&mut self, path: &str, servers: Option<Many<String>>) -> DnsServers {
        let Some(Many(servers)) = servers else { return DnsServers::Azure };
        if matches!(servers.as_slice(), [])
            || matches!(servers.as_slice(), [only] if only.eq_ignore_ascii_case("azure"))
        {
            return DnsServers::Azure;
        }
        DnsServers::Custom(self.addresses(path, &servers, "an address, or `azure` alone"))
    }

    fn addresses(&mut self, path: &str, texts: &[String], what: &str) -> Vec<IpAddr> {
        let mut out = Vec::new();
        for text in texts {
            match causeway_addr::parse_address(text) {
                Ok(address) => out.push(address),
                Err(error) => {
                    self.error(path, format!("`{path}` must be {what}: {error}"), error.hint().unwrap_or_default())
                }
            }
        }
        out
    }

    fn subnets(&mut self, network: &str, subnets: Named<document::Subnet>) -> BTreeMap<SubnetName, Subnet> {
        let mut out = BTreeMap::new();
        for (name, subnet) in subnets.0 {
            let path = format!("{network}.subnets.{name}");
            let policies = subnet.private_endpoint_policies.and_then(|word| {
                let words = [
                    ("disabled", PrivateEndpointPolicies::Disabled),
                    ("nsg", PrivateEndpointPolicies::Nsg),
                    ("routeTable", PrivateEndpointPolicies::RouteTable),
                    ("enabled", PrivateEndpointPolicies::Enabled),
                ];
                self.word(&format!("{path}.privateEndpointPolicies"), &word.0, &words)
            });
            let other = subnet.other.unwrap_or_default();
            let mut prefixes = subnet.prefix.unwrap_or_default().0;
            prefixes.extend(subnet.prefixes.unwrap_or_default().0);
            let value = Subnet {
                prefixes,
                delegations: subnet.delegation.unwrap_or_default().0,
                nat_gateway: subnet.nat_gateway.and_then(|name| {
                    self.name(&format!("{path}.natGateway"), "NAT gateway", &name, |known| &known.nat_gateways)
                }),
                nsg: subnet.nsg.and_then(|name| {
                    self.name(&format!("{path}.nsg"), "network security group", &name, |known| &known.security_groups)
                }),
                route_table: subnet.route_table.and_then(|name| {
                    self.name(&format!("{path}.routeTable"), "route table", &name, |known| &known.route_tables)
                }),
                private_endpoint_policies: policies,
                other: OtherAddresses {
                    private_endpoints: other.private_endpoints.unwrap_or(0),
                    load_balancer_frontends: other.load_balancer_frontends.unwrap_or(0),
                    application_gateways: other.application_gateways.unwrap_or(0),
                    nics: other.nics.unwrap_or(0),
                },
                service_endpoints: subnet.service_endpoints.unwrap_or_default().0,
                default_outbound_access: subnet.default_outbound_access,
            };
            out.insert(SubnetName::from(name.as_str()), value);
        }
        out
    }

    fn gateway(&mut self, path: &str, gateway: document::Gateway) -> Gateway {
        let words = [("expressRoute", GatewayKind::ExpressRoute), ("vpn", GatewayKind::Vpn)];
        let kind = self
            .required(path, "kind", gateway.kind)
            .and_then(|kind| self.word(&format!("{path}.kind"), &kind.0, &words))
            .unwrap_or(GatewayKind::ExpressRoute);
        let connects = gateway.connects.unwrap_or_default().0;
        let connects = connects
            .iter()
            .filter_map(|name| self.name(&format!("{path}.connects"), "network", name, |known| &known.networks))
            .collect();
        Gateway { kind, connects }
    }

    pub(super) fn peerings(&mut self, peerings: Vec<document::Peering>) -> Vec<Peering> {
        let mut out = Vec::new();
        for (at, peering) in peerings.into_iter().enumerate() {
            let path = format!("peerings.{at}");
            let between = self.required(&path, "between", peering.between).unwrap_or_default();
            let [one, other] = between.as_slice() else {
                if !between.is_empty() {
                    self.error(
                        &format!("{path}.between"),
                        format!("a peering is between two networks, not {}", between.len()),
                        "",
                    );
                }
                continue;
            };
            let one: Option<NetworkName> =
                self.name(&format!("{path}.between.0"), "network", one, |known| &known.networks);
            let other: Option<NetworkName> =
                self.name(&format!("{path}.between.1"), "network", other, |known| &known.networks);
            let (Some(one), Some(other)) = (one, other) else { continue };
            if one == other {
                self.error(
                    &format!("{path}.between"),
                    format!("`{one}` can't be peered with itself"),
                    "name the other network, or leave the peering out",
                );
            }
            let side = |cx: &mut Self, path: &str, name: &str| {
                let words = [(one.as_str(), 0), (other.as_str(), 1)];
                cx.word(path, name, &words).map(|at| if at == 0 { one.clone() } else { other.clone() })
            };
            let gateway_transit =
                peering.gateway_transit.and_then(|name| side(self, &format!("{path}.gatewayTransit"), &name));
            let forwarded_into =
                peering.forwarded_into.and_then(|name| side(self, &format!("{path}.forwardedTrafficInto"), &name));
            let mut only = BTreeMap::new();
            for (name, prefixes) in peering.only.unwrap_or_default().0 {
                if let Some(side) = side(self, &format!("{path}.only.{name}"), &name) {
                    only.insert(side, prefixes.0);
                }
            }
            out.push(Peering {
                between: (one, other),
                gateway_transit,
                gateway_transit_allowed: peering.gateway_transit_allowed.unwrap_or(true),
                forwarded_traffic: peering.forwarded_traffic.unwrap_or(false),
                forwarded_into,
                only,
                connected: peering.connected.unwrap_or(true),
            });
        }
        out
    }

    pub(super) fn route_tables(&mut self, tables: Named<document::RouteTable>) -> BTreeMap<RouteTableName, RouteTable> {
        let mut out = BTreeMap::new();
        for (name, table) in tables.0 {
            let mut routes = Vec::new();
            for (at, route) in table.routes.unwrap_or_default().into_iter().enumerate() {
                let path = format!("routeTables.{name}.routes.{at}");
                let prefix =
                    self.required(&path, "prefix", route.prefix).and_then(|text| self.route_prefix(&path, &text));
                let next_hop =
                    self.required(&path, "nextHop", route.next_hop).and_then(|hop| self.next_hop(&path, hop.0));
                if let (Some(prefix), Some(next_hop)) = (prefix, next_hop) {
                    routes.push(Route { name: route.name.unwrap_or_else(|| format!("route {at}")), prefix, next_hop });
                }
            }
            out.insert(
                RouteTableName::from(name.as_str()),
                RouteTable { bgp_propagation: table.bgp_propagation, routes, known: table.known.unwrap_or(true) },
            );
        }
        out
    }

    fn route_prefix(&mut self, path: &str, text: &str) -> Option<RoutePrefix> {
        let numeric = text.starts_with(|c: char| c.is_ascii_digit()) || text.contains(':');
        if !numeric {
            return Some(RoutePrefix::ServiceTag(text.to_owned()));
        }
        let path = format!("{path}.prefix");
        match Cidr::parse(text) {
            Ok(parsed) => {
                if parsed.host_bits.is_some() {
                    self.finding(
                        causeway_model::codes::CIDR_HOST_BITS_SET,
                        &path,
                        format!("`{text}` has host bits set: the network is `{}`", parsed.cidr),
                        &format!("write `{}`", parsed.cidr),
                    );
                }
                Some(RoutePrefix::Cidr(parsed.cidr))
            }
            Err(error) => {
                self.error(&path, format!("`{path}`: {error}"), error.hint().unwrap_or_default());
                None
            }
        }
    }

    fn next_hop(&mut self, path: &str, hop: document::NextHop) -> Option<NextHop> {
        let path = format!("{path}.nextHop");
        match (hop.appliance, hop.kind) {
            (Some(address), None) if address == "unknown" => Some(NextHop::UnknownAppliance),
            (Some(address), None) => {
                self.addresses(&path, &[address], "the address of the appliance").pop().map(NextHop::Appliance)
            }
            (None, Some(kind)) => {
                let words = [
                    ("internet", NextHop::Internet),
                    ("vnet", NextHop::Vnet),
                    ("gateway", NextHop::Gateway),
                    ("none", NextHop::None),
                ];
                self.word(&path, &kind, &words)
            }
            _ => {
                self.error(
                    &path,
                    format!("`{path}` must be `{{appliance: ADDRESS}}`, `internet`, `vnet`, `gateway` or `none`"),
                    "",
                );
                None
            }
        }
    }

    pub(super) fn security_groups(
        &mut self,
        groups: Named<document::SecurityGroup>,
    ) -> BTreeMap<SecurityGroupName, SecurityGroup> {
        let mut out = BTreeMap::new();
        for (name, group) in groups.0 {
            let mut rules = Vec::new();
            for (at, rule) in group.rules.unwrap_or_default().into_iter().enumerate() {
                let path = format!("networkSecurityGroups.{name}.rules.{at}");
                rules.extend(self.security_rule(&path, at, rule));
            }
            out.insert(
                SecurityGroupName::from(name.as_str()),
                SecurityGroup { rules, known: group.known.unwrap_or(true) },
            );
        }
        out
    }

    fn security_rule(&mut self, path: &str, at: usize, rule: document::SecurityRule) -> Option<SecurityRule> {
        let priority = self.required(path, "priority", rule.priority);
        if let Some(priority) = priority.filter(|priority| !(100..=4096).contains(priority)) {
            self.error(
                &format!("{path}.priority"),
                format!("a rule's priority is from 100 to 4096, not {priority}"),
                "",
            );
        }
        let directions = [("inbound", Direction::Inbound), ("outbound", Direction::Outbound)];
        let direction = self
            .required(path, "direction", rule.direction)
            .and_then(|word| self.word(&format!("{path}.direction"), &word.0, &directions));
        let accesses = [("allow", Access::Allow), ("deny", Access::Deny)];
        let access = self
            .required(path, "access", rule.access)
            .and_then(|word| self.word(&format!("{path}.access"), &word.0, &accesses));
        let protocol = match rule.protocol {
            None => Some(None),
            Some(word) => self.rule_protocol(&format!("{path}.protocol"), &word.0),
        };
        let any = || Many(vec!["*".to_owned()]);
        let source = self.address_matches(&format!("{path}.source"), &rule.source.unwrap_or_else(any).0);
        let destination = self.address_matches(&format!("{path}.destination"), &rule.destination.unwrap_or_else(any).0);
        let source_ports = self.port_matches(&format!("{path}.sourcePorts"), &rule.source_ports.unwrap_or_else(any).0);
        let ports = self.port_matches(&format!("{path}.ports"), &rule.ports.unwrap_or_else(any).0);
        Some(SecurityRule {
            name: rule.name.unwrap_or_else(|| format!("rule {at}")),
            priority: priority?,
            direction: direction?,
            access: access?,
            protocol: protocol?,
            source,
            source_ports,
            destination,
            ports,
        })
    }

    pub(super) fn nat_gateways(
        &mut self,
        gateways: Named<document::NatGateway>,
    ) -> BTreeMap<NatGatewayName, NatGateway> {
        let mut out = BTreeMap::new();
        for (name, gateway) in gateways.0 {
            let stated = gateway.public_ips.is_some();
            let public_ips = gateway.public_ips.unwrap_or_default().0;
            let public_ip_count =
                self.address_count(&format!("natGateways.{name}"), &public_ips, stated, gateway.public_ip_count);
            out.insert(
                NatGatewayName::from(name.as_str()),
                NatGateway {
                    public_ips,
                    public_ip_count,
                    idle_timeout_minutes: gateway.idle_timeout_minutes,
                    sku: gateway.sku,
                },
            );
        }
        out
    }

    /// How many addresses: the stated count, else as many as are listed.
    fn address_count(&mut self, path: &str, listed: &[IpAddr], stated: bool, count: Option<u32>) -> Option<u32> {
        let listed = u32::try_from(listed.len()).unwrap_or(u32::MAX);
        match count {
            Some(count) if count < listed => {
                self.error(
                    &format!("{path}.publicIpCount"),
                    format!("`publicIpCount` is {count}, but {listed} addresses are listed"),
                    "leave `publicIpCount` out, or count them all",
                );
                Some(listed)
            }
            Some(count) => Some(count),
            None if stated => Some(listed),
            None => None,
        }
    }

    pub(super) fn firewalls(&mut self, firewalls: Named<document::Firewall>) -> BTreeMap<FirewallName, Firewall> {
        let mut out = BTreeMap::new();
        for (name, firewall) in firewalls.0 {
            let path = format!("firewalls.{name}");
            let kinds = [("azureFirewall", FirewallKind::AzureFirewall), ("nva", FirewallKind::Appliance)];
            let kind = match firewall.kind {
                None => FirewallKind::AzureFirewall,
                Some(word) => self.word(&format!("{path}.kind"), &word.0, &kinds).unwrap_or(FirewallKind::Appliance),
            };
            let snats = [
                ("internet", FirewallSnat::Internet),
                ("always", FirewallSnat::Always),
                ("never", FirewallSnat::Never),
            ];
            let snat = match firewall.snat {
                None => FirewallSnat::Internet,
                Some(word) => self.word(&format!("{path}.snat"), &word.0, &snats).unwrap_or(FirewallSnat::Internet),
            };
            let stated = firewall.public_ips.is_some();
            let public_ips = firewall.public_ips.unwrap_or_default().0;
            let public_ip_count = self.address_count(&path, &public_ips, stated, firewall.public_ip_count);
            let rules = firewall.rules.unwrap_or_default();
            let rules = rules
                .into_iter()
                .enumerate()
                .filter_map(|(at, rule)| self.firewall_rule(&format!("{path}.rules.{at}"), at, rule))
                .collect();
            let dnat = firewall.dnat.unwrap_or_default();
            let dnat = dnat
                .into_iter()
                .enumerate()
                .filter_map(|(at, rule)| self.dnat_rule(&format!("{path}.dnat.{at}"), at, rule))
                .collect();
            let value = Firewall {
                kind,
                subnet: firewall.subnet.and_then(|subnet| self.subnet(&format!("{path}.subnet"), &subnet)),
                private_ip: firewall.private_ip,
                public_ips,
                public_ip_count,
                stateful: firewall.stateful.unwrap_or(true),
                snat,
                private_ranges: firewall
                    .private_ranges
                    .map_or_else(|| FIREWALL_PRIVATE_RANGES.to_vec(), |ranges| ranges.0),
                instances: firewall.instances,
                rules,
                dnat,
                policy: firewall.policy,
            };
            out.insert(FirewallName::from(name.as_str()), value);
        }
        out
    }

    fn firewall_rule(&mut self, path: &str, at: usize, rule: document::FirewallRule) -> Option<FirewallRule> {
        let any = || Many(vec!["*".to_owned()]);
        let accesses = [("allow", Access::Allow), ("deny", Access::Deny)];
        let access = match rule.access {
            None => Some(Access::Allow),
            Some(word) => self.word(&format!("{path}.access"), &word.0, &accesses),
        };
        let protocol = match rule.protocol {
            None => Some(None),
            Some(word) => self.rule_protocol(&format!("{path}.protocol"), &word.0),
        };
        Some(FirewallRule {
            name: rule.name.unwrap_or_else(|| format!("rule {at}")),
            source: self.address_matches(&format!("{path}.source"), &rule.source.unwrap_or_else(any).0),
            destination: self.address_matches(&format!("{path}.destination"), &rule.destination.unwrap_or_else(any).0),
            protocol: protocol?,
            ports: self.port_matches(&format!("{path}.ports"), &rule.ports.unwrap_or_else(any).0),
            access: access?,
        })
    }

    fn dnat_rule(&mut self, path: &str, at: usize, rule: document::DnatRule) -> Option<DnatRule> {
        let port = self.required(path, "port", rule.port)?;
        let protocol = match rule.protocol {
            None => Some(None),
            Some(word) => self.rule_protocol(&format!("{path}.protocol"), &word.0),
        };
        Some(DnatRule {
            name: rule.name.unwrap_or_else(|| format!("rule {at}")),
            public_ip: rule.public_ip,
            protocol: protocol?,
            port,
            to: rule.to,
            to_port: rule.to_port.unwrap_or(port),
        })
    }

    pub(super) fn hosts(&mut self, hosts: Named<document::Host>) -> BTreeMap<HostName, Host> {
        let mut out = BTreeMap::new();
        for (name, host) in hosts.0 {
            let path = format!("hosts.{name}");
            let network = match host.network.as_deref() {
                Some("internet") => None,
                Some(network) => self.name(&format!("{path}.network"), "network", network, |known| &known.networks),
                None => {
                    self.error(&path, format!("`{path}` needs `network`"), "a network of the design, or `internet`");
                    None
                }
            };
            let Some(ip) = self.required(&path, "ip", host.ip) else { continue };
            let listens = self.listens(&format!("{path}.listens"), &host.listens.unwrap_or_default().0);
            let mut dns_forwards = BTreeMap::new();
            for (domain, targets) in host.dns.and_then(|dns| dns.forwards).unwrap_or_default().0 {
                let path = format!("{path}.dns.forwards.{domain}");
                let mut forwards = Vec::new();
                for target in targets.0 {
                    if target.eq_ignore_ascii_case("azure") {
                        forwards.push(DnsForward::Azure);
                    } else {
                        forwards.extend(
                            self.addresses(&path, &[target], "`azure` or an address")
                                .into_iter()
                                .map(DnsForward::Server),
                        );
                    }
                }
                dns_forwards.insert(domain, forwards);
            }
            let value = Host {
                ip,
                network,
                listens: listens.into_iter().map(|(_, protocol, port)| (protocol, port)).collect(),
                role: host.role,
                nsg: host.nsg.and_then(|name| {
                    self.name(&format!("{path}.nsg"), "network security group", &name, |known| &known.security_groups)
                }),
                dns_forwards,
            };
            out.insert(HostName::from(name.as_str()), value);
        }
        out
    }

    pub(super) fn private_endpoints(
        &mut self,
        endpoints: Named<document::PrivateEndpoint>,
    ) -> BTreeMap<PrivateEndpointName, PrivateEndpoint> {
        let mut out = BTreeMap::new();
        for (name, endpoint) in endpoints.0 {
            let path = format!("privateEndpoints.{name}");
            let subnet = self
                .required(&path, "subnet", endpoint.subnet)
                .and_then(|subnet| self.subnet(&format!("{path}.subnet"), &subnet));
            let listens = self.listens(&format!("{path}.listens"), &endpoint.listens.unwrap_or_default().0);
            let connection = endpoint.connection.and_then(|word| {
                let words = [
                    ("approved", EndpointConnection::Approved),
                    ("pending", EndpointConnection::Pending),
                    ("rejected", EndpointConnection::Rejected),
                    ("disconnected", EndpointConnection::Disconnected),
                ];
                self.word(&format!("{path}.connection"), &word.0, &words)
            });
            if let Some(subnet) = subnet {
                let listens = listens.into_iter().map(|(_, protocol, port)| (protocol, port)).collect();
                out.insert(
                    PrivateEndpointName::from(name.as_str()),
                    PrivateEndpoint {
                        ip: endpoint.ip,
                        subnet,
                        names: endpoint.names.unwrap_or_default().0,
                        listens,
                        connection,
                    },
                );
            }
        }
        out
    }

    pub(super) fn private_dns_zones(
        &mut self,
        zones: Named<document::PrivateDnsZone>,
    ) -> BTreeMap<String, PrivateDnsZone> {
        let mut out = BTreeMap::new();
        for (name, zone) in zones.0 {
            let path = format!("privateDnsZones.{name}.links");
            let links = zone.links.unwrap_or_default().0;
            let links =
                links.iter().filter_map(|link| self.name(&path, "network", link, |known| &known.networks)).collect();
            let records: BTreeMap<_, _> =
                zone.records.unwrap_or_default().0.into_iter().map(|(label, addresses)| (label, addresses.0)).collect();
            out.insert(
                name,
                PrivateDnsZone {
                    links,
                    links_known: zone.links_known.unwrap_or(true),
                    records_known: zone.records_known.unwrap_or(!records.is_empty()),
                    records,
                    fallback_to_internet: zone.fallback_to_internet.unwrap_or(false),
                },
            );
        }
        out
    }

    pub(super) fn public_dns(&mut self, names: Named<document::PublicName>) -> BTreeMap<String, PublicName> {
        let mut out = BTreeMap::new();
        for (name, value) in names.0 {
            let words = [("enabled", false), ("disabled", true)];
            let disabled = value
                .public_access
                .and_then(|word| self.word(&format!("publicDns.{name}.publicAccess"), &word.0, &words));
            out.insert(
                name,
                PublicName {
                    cname: value.cname,
                    addresses: value.address.unwrap_or_default().0,
                    public_access_disabled: disabled,
                },
            );
        }
        out
    }
}
