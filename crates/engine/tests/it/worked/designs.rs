//! Whole designs of the platform's own pages, which must come out without an error.

use super::{answer, errors};

fn fits(text: &str, pool: &str) -> (Option<u64>, Option<bool>) {
    let answer = answer(text);
    let row = answer.capacity.pools.iter().find(|row| row.pool == pool);
    row.map_or((None, None), |row| (row.usable, row.fits))
}

#[test]
fn an_overlay_range_beside_the_vnet() {
    let text = "
causeway: 1
networks: {spoke: {prefixes: [10.224.0.0/12], subnets: {nodes: {prefix: 10.224.0.0/16}}}}
clusters:
  c:
    mode: overlay
    podCidr: 192.168.0.0/16
    serviceCidr: 10.0.0.0/16
    dnsServiceIp: 10.0.0.10
    outbound: {type: loadBalancer}
    pools: {a: {nodes: 3, maxPods: 110, subnet: spoke/nodes}}
";
    assert_eq!(errors(text), Vec::<&str>::new());
}

#[test]
fn the_production_spoke_with_a_service_range_that_is_free() {
    let text = "
causeway: 1
networks:
  spoke:
    prefixes: [10.80.0.0/16]
    subnets:
      nodes: {prefix: 10.80.16.0/21}
      ingress: {prefix: 10.80.32.0/24}
      endpoints: {prefix: 10.80.40.0/24}
clusters:
  c:
    mode: overlay
    podCidr: 100.64.0.0/14
    serviceCidr: 172.29.0.0/16
    dnsServiceIp: 172.29.0.10
    outbound: {type: loadBalancer}
    pools: {a: {nodes: {count: 3, max: 100}, maxPods: 110, subnet: spoke/nodes}}
";
    assert_eq!(errors(text), Vec::<&str>::new());
    assert_eq!(fits(text, "spoke/nodes"), (Some(2043), Some(true)));
    assert_eq!(fits(text, "c/podCidr"), (Some(1024 * 256), Some(true)));
    assert_eq!(errors(&text.replace("172.29.", "172.30.")), ["reserved-range"]);
}

#[test]
fn a_nat_gateway_on_the_node_subnet() {
    let text = "
causeway: 1
networks: {spoke: {prefixes: [172.16.0.0/20], subnets: {nodes: {prefix: 172.16.0.0/22, natGateway: egress}}}}
natGateways: {egress: {publicIps: [203.0.113.10]}}
clusters:
  c:
    mode: nodeSubnet
    outbound: {type: userAssignedNATGateway}
    pools: {a: {nodes: 3, maxPods: 30, subnet: spoke/nodes}}
";
    assert_eq!(errors(text), Vec::<&str>::new());
    assert_eq!(fits(text, "spoke/nodes"), (Some(1019), Some(true)));
}

#[test]
fn egress_through_a_firewall_in_the_same_vnet() {
    for mode in ["nodeSubnet", "kubenet"] {
        let text = format!(
            "
causeway: 1
networks:
  spoke:
    prefixes: [10.42.0.0/16]
    subnets:
      nodes: {{prefix: 10.42.1.0/24, routeTable: egress}}
      AzureFirewallSubnet: {{prefix: 10.42.2.0/24}}
firewalls: {{fw: {{kind: azureFirewall, subnet: spoke/AzureFirewallSubnet, privateIp: 10.42.2.4, publicIps: [203.0.113.20]}}}}
routeTables:
  egress:
    routes:
      - {{name: default, prefix: 0.0.0.0/0, nextHop: {{appliance: 10.42.2.4}}}}
      - {{name: firewall, prefix: 203.0.113.20/32, nextHop: internet}}
clusters:
  c:
    mode: {mode}
    outbound: {{type: userDefinedRouting}}
    pools: {{a: {{nodes: 3, maxPods: 30, subnet: spoke/nodes}}}}
"
        );
        assert_eq!(errors(&text), Vec::<&str>::new(), "{mode}");
        assert_eq!(fits(&text, "spoke/nodes"), (Some(251), Some(true)), "{mode}");
        // The next hop of the default route must be an appliance or a gateway.
        let internet = text.replace("0.0.0.0/0, nextHop: {appliance: 10.42.2.4}", "0.0.0.0/0, nextHop: internet");
        assert!(errors(&internet).contains(&"udr-without-default-route"), "{mode}: {:?}", errors(&internet));
    }
}

#[test]
fn an_api_server_in_the_vnet() {
    let text = "
causeway: 1
networks:
  spoke:
    prefixes: [172.19.0.0/16]
    subnets:
      apiserver: {prefix: 172.19.0.0/28, delegation: Microsoft.ContainerService/managedClusters}
      nodes: {prefix: 172.19.1.0/24}
      links: {prefix: 172.19.2.0/24}
  remote: {prefixes: [192.168.0.0/16], subnets: {endpoints: {prefix: 192.168.1.0/24}}}
clusters:
  c:
    mode: overlay
    podCidr: 10.244.0.0/16
    outbound: {type: loadBalancer}
    apiServer: {access: vnetIntegration, subnet: spoke/apiserver}
    pools: {a: {nodes: 3, maxPods: 30, subnet: spoke/nodes}}
";
    assert_eq!(errors(text), Vec::<&str>::new());
    // Nine addresses a cluster: two do not fit into a /28, three fit into a /27.
    let cluster = text.split("clusters:\n").nth(1).unwrap();
    let another = |name: &str| cluster.replace("  c:", &format!("  {name}:"));
    let two = format!("{text}{}", another("d"));
    assert_eq!(errors(&two), ["api-server-subnet-unfit"]);
    let three = format!("{text}{}{}", another("d"), another("e")).replace("172.19.0.0/28", "172.19.0.0/27");
    assert_eq!(errors(&three), Vec::<&str>::new());
    let four = format!("{three}{}", another("f"));
    assert_eq!(errors(&four), ["api-server-subnet-unfit"]);
}
