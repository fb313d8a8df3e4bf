//! Small designs by chance: networks with filters, routes and firewalls of all kinds, clusters of all modes, and who may talk to whom.
//!
//! Whatever has a name that means nothing has it as `@name` in the text, so that the same design can be written with other names.

use causeway_testkit::Random;
use std::fmt::Write as _;

/// What filters a design has, rule by rule; the rest of it is text.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// The rules of each security group.
    pub(crate) groups: [Vec<Rule>; 3],
    /// The firewall's rules.
    pub(crate) firewall: Vec<Rule>,
    /// Network policies.
    pub(crate) policies: Vec<Policy>,
    head: String,
    firewall_head: Option<String>,
    tail: String,
    cluster: String,
    rest: String,
}

/// A rule of a security group or firewall.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    pub(crate) name: String,
    pub(crate) priority: u32,
    pub(crate) allows: bool,
    pub(crate) inbound: bool,
    pub(crate) protocol: &'static str,
    pub(crate) source: &'static str,
    pub(crate) destination: &'static str,
    pub(crate) ports: &'static str,
}

/// A policy of the namespace everybody lives in.
#[derive(Debug, Clone)]
pub(crate) struct Policy {
    pub(crate) name: String,
    pub(crate) selector: &'static str,
    pub(crate) egress: bool,
    /// What it lets through; nothing = nothing is.
    pub(crate) rules: Vec<String>,
}

const GROUPS: [&str; 3] = ["nodes", "pods", "machines"];
const PREFIXES: &[&str] = &[
    "\"*\"",
    "10.0.0.0/16",
    "10.0.0.0/24",
    "10.0.0.4",
    "10.0.5.0/24",
    "10.0.64.0/18",
    "10.244.0.0/16",
    "10.10.0.0/16",
    "10.10.0.4",
    "10.20.0.0/16",
    "10.200.0.0/16",
    "198.51.100.0/24",
];
const TAGS: &[&str] = &["VirtualNetwork", "Internet", "AzureLoadBalancer"];
const PORTS: &[&str] = &["\"*\"", "\"*\"", "\"*\"", "[443]", "[8080]", "[1433, 443]", "[\"1-1024\"]"];

fn any<'a>(random: &mut Random, from: &[&'a str]) -> &'a str {
    random.one_of(from).unwrap()
}

impl Rule {
    /// Any rule; firewalls know no tags.
    pub(crate) fn random(random: &mut Random, tags: bool, at: u32) -> Rule {
        // Wide ones more often: a filter that no flow meets tells nothing.
        let end = |random: &mut Random| match random.below(6) {
            0..=2 => "\"*\"",
            3 if tags => any(random, TAGS),
            _ => any(random, PREFIXES),
        };
        Rule {
            name: format!("r{at}"),
            priority: 100 + 10 * at + u32::try_from(random.below(9)).unwrap(),
            allows: random.below(2) == 0,
            inbound: random.below(2) == 0,
            source: end(random),
            destination: end(random),
            protocol: any(random, &["tcp", "\"*\"", "\"*\"", "udp"]),
            ports: any(random, PORTS),
        }
    }

    fn access(&self) -> &'static str {
        if self.allows { "allow" } else { "deny" }
    }

    fn of_group(&self) -> String {
        let Rule { name, priority, protocol, source, destination, ports, .. } = self;
        let direction = if self.inbound { "inbound" } else { "outbound" };
        let access = self.access();
        format!(
            "{{name: {name}, priority: {priority}, direction: {direction}, access: {access}, protocol: {protocol}, source: {source}, destination: {destination}, ports: {ports}}}"
        )
    }

    fn of_firewall(&self) -> String {
        let Rule { name, protocol, source, destination, ports, .. } = self;
        let access = self.access();
        format!(
            "{{name: {name}, source: {source}, destination: {destination}, protocol: {protocol}, ports: {ports}, access: {access}}}"
        )
    }
}

impl Policy {
    pub(crate) fn random(random: &mut Random, at: usize) -> Policy {
        const PEERS: &[&str] = &[
            "podSelector: {matchLabels: {app: far}}",
            "podSelector: {}",
            "namespaceSelector: {}",
            "ipBlock: {cidr: 10.0.0.0/16}",
            "ipBlock: {cidr: 0.0.0.0/0, except: [10.10.0.0/16]}",
            "ipBlock: {cidr: 10.244.1.5/32}",
        ];
        let egress = random.below(2) == 0;
        let peers = if egress { "to" } else { "from" };
        let rules = (0..random.below(3)).map(|_| {
            let ports = match random.below(3) {
                0 => ", ports: [{port: 8080, protocol: TCP}]",
                1 => ", ports: [{port: 443, endPort: 1500, protocol: TCP}]",
                _ => "",
            };
            format!("{{{peers}: [{{{}}}]{ports}}}", any(random, PEERS))
        });
        Policy {
            name: format!("p{at}"),
            rules: rules.collect(),
            selector: any(random, &["{}", "{matchLabels: {app: app}}", "{matchLabels: {app: far}}"]),
            egress,
        }
    }

    fn text(&self) -> String {
        let (kind, list) = if self.egress { ("Egress", "egress") } else { ("Ingress", "ingress") };
        format!(
            "{{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {{name: {}, namespace: shop}}, spec: {{podSelector: {}, policyTypes: [{kind}], {list}: [{}]}}}}",
            self.name,
            self.selector,
            self.rules.join(", ")
        )
    }
}

impl Plan {
    pub(crate) fn random(random: &mut Random) -> Plan {
        let mode = any(random, &["overlay", "overlay", "podSubnet", "nodeSubnet", "kubenet", "podSubnetStatic"]);
        let has_firewall = random.below(3) > 0;
        let (head, firewall_head, tail) = networks(random, mode, has_firewall);
        let rules = |random: &mut Random, most: u64, tags: bool| -> Vec<Rule> {
            let count = u32::try_from(random.below(most)).unwrap();
            (0..count).map(|at| Rule::random(random, tags, at)).collect()
        };
        let groups = GROUPS.map(|_| rules(random, 3, true));
        let mut firewall = rules(random, 4, false);
        if random.below(2) == 0 {
            let all = Rule {
                source: "\"*\"",
                destination: "\"*\"",
                protocol: "\"*\"",
                ports: "\"*\"",
                ..Rule::random(random, false, 9)
            };
            firewall.push(Rule { allows: true, ..all });
        }
        let policies = (0..random.below(3)).map(|at| Policy::random(random, usize::try_from(at).unwrap()));
        let policies = policies.collect();
        let (cluster, rest) = cluster(random, mode, has_firewall);
        Plan { groups, firewall, policies, head, firewall_head, tail, cluster, rest }
    }

    /// The design as a file, each name as it is given.
    pub(crate) fn text(&self, named: &dyn Fn(&str) -> String) -> String {
        let mut out = self.head.clone();
        out.push_str("networkSecurityGroups:\n");
        for (name, rules) in GROUPS.iter().zip(&self.groups) {
            let rules: Vec<String> = rules.iter().map(Rule::of_group).collect();
            let _ = writeln!(out, "  @g-{name}: {{rules: [{}]}}", rules.join(", "));
        }
        if let Some(head) = &self.firewall_head {
            let rules: Vec<String> = self.firewall.iter().map(Rule::of_firewall).collect();
            let _ = writeln!(out, "{head}    rules: [{}]", rules.join(", "));
        }
        out.push_str(&self.tail);
        out.push_str(&self.cluster);
        let policies: Vec<String> = self.policies.iter().map(Policy::text).collect();
        let _ = writeln!(out, "    policies: [{}]", policies.join(", "));
        out.push_str(&self.rest);
        rename(&out, named)
    }
}

/// Every `@name` as it is given.
pub(crate) fn rename(text: &str, named: &dyn Fn(&str) -> String) -> String {
    let mut parts = text.split('@');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).unwrap_or(part.len());
        let (name, rest) = part.split_at(end);
        out.push_str(&named(name));
        out.push_str(rest);
    }
    out
}

fn networks(random: &mut Random, mode: &str, has_firewall: bool) -> (String, Option<String>, String) {
    let mut out = String::from("causeway: 1\nname: chance\nnetworks:\n");
    let also = |random: &mut Random, of: &[&str]| -> String {
        let said: Vec<&str> =
            of.iter().copied().filter(|said| random.below(if said.starts_with("nsg") { 4 } else { 2 }) > 0).collect();
        said.iter().map(|said| format!(", {said}")).collect()
    };
    let (nodes, pods, machines, servers) = (
        also(random, &["routeTable: @t-nodes", "nsg: @g-nodes", "natGateway: @egress"]),
        also(random, &["routeTable: @t-pods", "nsg: @g-pods"]),
        also(random, &["routeTable: @t-nodes", "nsg: @g-machines"]),
        also(random, &["routeTable: @t-hub", "nsg: @g-machines"]),
    );
    let back = also(random, &["routeTable: @t-hub"]);
    let of_firewall = also(random, &["routeTable: @t-hub"]);
    let delegation =
        if mode.starts_with("podSubnet") { ", delegation: Microsoft.ContainerService/managedClusters" } else { "" };
    let gateway = random.below(2) == 0;
    let connects = if gateway { "    gateway: {kind: expressRoute, connects: [@corp]}\n" } else { "" };
    let knows = any(random, &["", ", knows: [10.0.0.0/16, 10.10.0.0/16]", ", knows: [10.10.0.0/16]"]);
    let _ = write!(
        out,
        "  @spoke:
    prefixes: [10.0.0.0/16]
    subnets:
      @nodes: {{prefix: 10.0.0.0/24{nodes}}}
      @pods: {{prefix: 10.0.64.0/18{pods}{delegation}}}
      @machines: {{prefix: 10.0.5.0/24{machines}}}
      @endpoints: {{prefix: 10.0.9.0/27}}
  @hub:
    prefixes: [10.10.0.0/16]
{connects}    subnets:
      AzureFirewallSubnet: {{prefix: 10.10.0.0/26{of_firewall}}}
      GatewaySubnet: {{prefix: 10.10.255.0/27{back}}}
      @servers: {{prefix: 10.10.4.0/24{servers}}}
  @other: {{prefixes: [10.20.0.0/16], subnets: {{@apart: {{prefix: 10.20.0.0/24}}}}}}
  @corp: {{kind: onPremises, prefixes: [10.200.0.0/16]{knows}}}
peerings:
"
    );
    let peer = |random: &mut Random, out: &mut String, one: &str, other: &str, transit: bool| {
        let transit = if transit && random.below(3) > 0 { ", gatewayTransit: @hub" } else { "" };
        let forwarded = random.below(3) > 0;
        let _ = writeln!(out, "  - {{between: [@{one}, @{other}], forwardedTraffic: {forwarded}{transit}}}");
    };
    peer(random, &mut out, "spoke", "hub", gateway);
    if random.below(2) == 0 {
        peer(random, &mut out, "other", "hub", false);
    }
    if random.once_in(3) {
        peer(random, &mut out, "spoke", "other", false);
    }
    out.push_str("routeTables:\n");
    let hop = |random: &mut Random| match random.below(7) {
        0 => "none",
        1 => "internet",
        2 => "gateway",
        3 => "vnet",
        4 => "{appliance: 10.10.4.10}",
        _ => "{appliance: 10.10.0.4}",
    };
    for table in ["t-nodes", "t-pods", "t-hub"] {
        let mut routes: Vec<String> = Vec::new();
        let to: &[&str] = match table {
            "t-hub" => &["10.0.0.0/16", "10.0.5.0/24", "10.200.0.0/16", "10.0.0.0/24", "0.0.0.0/0"],
            _ => &["0.0.0.0/0", "10.10.0.0/16", "10.200.0.0/16", "10.0.5.0/24", "10.20.0.0/16", "10.10.4.20/32"],
        };
        for (at, prefix) in to.iter().enumerate() {
            if random.once_in(if at == 0 { 2 } else { 4 }) {
                routes.push(format!("{{name: r{at}, prefix: {prefix}, nextHop: {}}}", hop(random)));
            }
        }
        if mode == "kubenet" && table == "t-nodes" {
            routes.push("{name: n1, prefix: 10.244.0.0/24, nextHop: {appliance: 10.0.0.4}}".to_owned());
            routes.push("{name: n2, prefix: 10.244.1.0/24, nextHop: {appliance: 10.0.0.5}}".to_owned());
        }
        let bgp = random.below(3) > 0;
        let _ = writeln!(out, "  @{table}: {{bgpPropagation: {bgp}, routes: [{}]}}", routes.join(", "));
    }
    let firewall = has_firewall.then(|| {
        let kind = any(random, &["azureFirewall", "nva"]);
        let snat = any(random, &["internet", "always", "never"]);
        let stateful = kind == "azureFirewall" || random.below(2) == 0;
        let public = any(random, &["", "    publicIps: [203.0.113.77]\n"]);
        let dnat = if !public.is_empty() && random.below(2) == 0 {
            "    dnat: [{name: in, publicIp: 203.0.113.77, protocol: tcp, port: 80, to: 10.0.5.4, toPort: 8080}]\n"
        } else {
            ""
        };
        format!("firewalls:\n  @fw:\n    kind: {kind}\n    subnet: @hub/AzureFirewallSubnet\n    privateIp: 10.10.0.4\n    stateful: {stateful}\n    snat: {snat}\n{public}{dnat}")
    });
    let second = has_firewall.then(|| {
        let (snat, stateful) = (any(random, &["always", "never"]), random.below(2) == 0);
        let access = any(random, &["allow", "deny"]);
        format!("  @second-fw: {{kind: nva, subnet: @hub/@servers, privateIp: 10.10.4.10, stateful: {stateful}, snat: {snat}, rules: [{{name: all, source: \"*\", destination: \"*\", protocol: \"*\", ports: \"*\", access: {access}}}]}}\n")
    });
    let listens = any(random, &["", "", ", nsg: @g-machines"]);
    let second = second.unwrap_or_default();
    let tail = format!(
        "{second}natGateways: {{@egress: {{publicIps: [203.0.113.10]}}}}
hosts:
  @machine: {{ip: 10.0.5.4, network: @spoke, listens: [tcp/8080]{listens}}}
  @server: {{ip: 10.10.4.20, network: @hub, listens: [tcp/1433]}}
  @lonely: {{ip: 10.20.0.20, network: @other, listens: [tcp/443]}}
  @erp: {{ip: 10.200.1.5, network: @corp, listens: [tcp/443]}}
  @bank: {{ip: 198.51.100.80, network: internet, listens: [tcp/443]}}
privateEndpoints:
  @vault: {{ip: 10.0.9.4, subnet: @spoke/@endpoints, names: [kv-prod.vault.azure.net], listens: [tcp/443]}}
privateDnsZones:
  privatelink.vaultcore.azure.net: {{links: [@spoke], records: {{kv-prod: 10.0.9.4}}}}
publicDns:
  kv-prod.vault.azure.net: {{cname: kv-prod.privatelink.vaultcore.azure.net, address: 203.0.113.50, publicAccess: disabled}}
"
    );
    (out, firewall, tail)
}

fn cluster(random: &mut Random, mode: &str, has_firewall: bool) -> (String, String) {
    let dataplane = if mode != "kubenet" && random.once_in(4) { "cilium" } else { "azure" };
    let engine = if dataplane == "cilium" { "cilium" } else { any(random, &["calico", "calico", "none", "azure"]) };
    let block = matches!(mode, "overlay" | "kubenet");
    let range = if block { "    podCidr: 10.244.0.0/16\n" } else { "" };
    let outbound = match random.below(4) {
        0 => "{type: loadBalancer, publicIps: [203.0.113.20]}",
        1 => "{type: userAssignedNATGateway}",
        2 if has_firewall => "{type: userDefinedRouting}",
        _ => any(random, &["{type: none}", "{type: loadBalancer, publicIps: [203.0.113.20]}"]),
    };
    let proxy = match dataplane {
        "cilium" => "",
        _ => any(
            random,
            &[
                "",
                "    kubeProxy: {mode: ipvs}\n",
                "    kubeProxy: {mode: nftables}\n",
                "    kubeProxy: {mode: iptables}\n",
            ],
        ),
    };
    let masquerade = any(
        random,
        &[
            "",
            "",
            "    masquerade: {agent: none}\n",
            "    masquerade: {agent: causeway, files: {ip-masq-agent: \"nonMasqueradeCIDRs: [10.0.0.0/8]\"}}\n",
            "    masquerade: {agent: ip-masq-agent-v2, files: {ip-masq-agent: \"nonMasqueradeCIDRs: [10.0.0.0/16, 10.244.0.0/16]\"}}\n",
        ],
    );
    let pod_subnet = if mode.starts_with("podSubnet") { ", podSubnet: @spoke/@pods" } else { "" };
    let (near, far) = match mode {
        "overlay" | "kubenet" => ("10.244.0", "10.244.1"),
        "nodeSubnet" => ("10.0.0", "10.0.0"),
        _ => ("10.0.64", "10.0.65"),
    };
    let block =
        |block: &str| if matches!(mode, "overlay" | "kubenet") { format!(", podCidr: {block}") } else { String::new() };
    let policy = any(random, &["Local", "Cluster"]);
    let balancer = match random.below(3) {
        0 => format!(", type: LoadBalancer, internal: true, internalIp: 10.0.0.100, externalTrafficPolicy: {policy}"),
        1 => format!(", type: LoadBalancer, publicIp: 203.0.113.40, externalTrafficPolicy: {policy}"),
        _ => ", type: ClusterIP".to_owned(),
    };
    let api = any(
        random,
        &[
            "",
            "",
            "    apiServer: {access: private, subnet: @spoke/@endpoints, privateIp: 10.0.9.9}\n",
            "    apiServer: {access: public, authorizedRanges: [203.0.113.0/24]}\n",
        ],
    );
    let ranges = any(random, &["", "", ", sourceRanges: [10.0.0.0/8]", ", healthPort: 30100"]);
    let third = if random.once_in(3) {
        format!(
            "      - {{name: @third, namespace: shop, node: @n1, ip: {near}.77, labels: {{app: far}}, listens: [tcp/8080]}}\n"
        )
    } else {
        String::new()
    };
    let (block_1, block_2) = (block("10.244.0.0/24"), block("10.244.1.0/24"));
    let out = format!(
        "clusters:
  @prod:
    mode: {mode}
    version: \"1.33\"
    dataplane: {dataplane}
    networkPolicy: {engine}
{range}    serviceCidr: 172.16.0.0/16
    dnsServiceIp: 172.16.0.10
    outbound: {outbound}
{proxy}{masquerade}{api}    pools: {{@system: {{nodes: {{count: 2}}, subnet: @spoke/@nodes{pod_subnet}}}}}
    nodes:
      @n1: {{ip: 10.0.0.4, pool: @system{block_1}}}
      @n2: {{ip: 10.0.0.5, pool: @system{block_2}}}
    pods:
      - {{name: @app, namespace: shop, node: @n1, ip: {near}.70, labels: {{app: app}}}}
      - {{name: @near, namespace: shop, node: @n1, ip: {near}.71, labels: {{app: near}}, listens: [tcp/8080]}}
      - {{name: @far, namespace: shop, node: @n2, ip: {far}.75, labels: {{app: far}}, listens: [tcp/8080]}}
      - {{name: @agent, namespace: shop, node: @n2, ip: 10.0.0.5, hostNetwork: true, labels: {{app: agent}}, listens: [tcp/9100]}}
      - {{name: @vague, namespace: shop, labels: {{app: vague}}, listens: [tcp/8080]}}
{third}    services:
      - {{name: @far, namespace: shop, clusterIp: 172.16.0.20, ports: [tcp/80->8080], selector: {{app: far}}{balancer}{ranges}}}
"
    );
    let rest = "  @second:
    mode: overlay
    networkPolicy: calico
    podCidr: 10.244.0.0/16
    serviceCidr: 172.16.0.0/16
    dnsServiceIp: 172.16.0.10
    outbound: {type: loadBalancer, publicIps: [203.0.113.21]}
    pools: {@blue: {nodes: {count: 1}, subnet: @other/@apart}}
    nodes: {@m1: {ip: 10.20.0.4, pool: @blue, podCidr: 10.244.0.0/24}}
    pods: [{name: @worker, namespace: shop, node: @m1, ip: 10.244.0.70, labels: {app: app}, listens: [tcp/8080]}]
";
    (out, rest.to_owned())
}

/// Who may send.
pub(crate) const SENDERS: &[&str] = &[
    "@prod/pod/shop/@app",
    "@prod/pod/shop/@far",
    "@second/pod/shop/@worker",
    "@prod/pod/shop/@agent",
    "@prod/pod/shop/@vague",
    "@prod/node/@n1",
    "pool/@prod/@system",
    "host/@machine",
    "host/@server",
    "host/@erp",
    "host/@bank",
    "host/@lonely",
    "internet",
];

/// Whom to.
pub(crate) const RECEIVERS: &[&str] = &[
    "@prod/pod/shop/@near:8080",
    "@prod/pod/shop/@far:8080",
    "@prod/service/shop/@far:80",
    "@second/pod/shop/@worker:8080",
    "@prod/node/@n2:10250",
    "host/@machine:8080",
    "host/@server:1433",
    "host/@lonely:443",
    "host/@erp:443",
    "host/@bank:443",
    "internet:443",
    "privateEndpoint/@vault:443",
    "kv-prod.vault.azure.net:443",
    "168.63.129.16:53",
    "169.254.169.254:80",
    "10.0.5.99:443",
    "10.10.4.99:1433",
    "203.0.113.77:80",
    "host/@server",
    "@prod/pod/shop/@far",
    "@prod/pod/shop/@agent:9100",
    "@prod/pod/shop/@vague:8080",
    "10.99.0.1:443",
    "apiServer/@prod:443",
];
