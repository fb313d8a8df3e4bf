//! Subnets of gateways: their size, delegation and routes, and that nobody else is there.

use super::{Tenant, TenantKind, Tenants, is_delegated, prefix_of};
use crate::egress::ground::{Ground, WayOut};
use crate::posture::filter::{Flow, Side, Verdict, judge};
use crate::posture::group_on;
use crate::say::{cited, listed};
use causeway_model::codes;
use causeway_model::design::*;
use causeway_model::facts::{About, address, ingress, nsg, routing};
use causeway_model::finding::{Finding, Severity};

/// One gateway and where it stands.
struct Gateway<'a> {
    object: String,
    cluster: &'a Cluster,
    reference: &'a SubnetRef,
    subnet: &'a Subnet,
}

impl Gateway<'_> {
    fn unfit(&self, message: String, help: &str, about: About) -> Finding {
        let finding = Finding::new(codes::INGRESS_SUBNET_UNFIT, format!("{}.subnet", self.object), message)
            .help(help)
            .on(self.reference)
            .related(self.reference.path(), "the subnet");
        cited(finding, about)
    }

    fn is_overlay(&self) -> bool {
        self.cluster.mode == Some(Mode::Overlay)
    }
}

pub(super) fn check<'a>(
    ground: &Ground<'a>,
    tenants: &Tenants,
    name: &ClusterName,
    path: &str,
    cluster: &'a Cluster,
    out: &mut Vec<Finding>,
) {
    for (at, ingress) in cluster.ingress.iter().enumerate() {
        let Some(reference) = &ingress.subnet else { continue };
        let Some(subnet) = ground.design.subnet(reference) else { continue };
        let gateway = Gateway { object: format!("{path}.ingress.{at}"), cluster, reference, subnet };
        match ingress.kind {
            IngressKind::ApplicationGatewayForContainers => for_containers(&gateway, tenants, out),
            IngressKind::ApplicationGateway => application_gateway(ground, &gateway, tenants, name, out),
            IngressKind::Nginx | IngressKind::Istio | IngressKind::GatewayApi => in_cluster(&gateway, out),
        }
    }
}

/// Application gateways of whom no more is known than that they stand in a subnet: nodes and pods can't be there.
pub(super) fn beside_pools(ground: &Ground, tenants: &Tenants, out: &mut Vec<Finding>) {
    for (reference, subnet) in ground.design.subnets() {
        let pools: Vec<&Tenant> = tenants
            .of(&reference)
            .iter()
            .filter(|tenant| matches!(tenant.kind, TenantKind::Nodes | TenantKind::Pods))
            .collect();
        let Some(first) = pools.first().filter(|_| subnet.other.application_gateways > 0) else { continue };
        let message = format!(
            "an application gateway is in `{reference}`, and {} are there as well: a gateway's subnet is for gateways alone",
            first.words
        );
        let mut finding = Finding::new(codes::INGRESS_SUBNET_UNFIT, reference.path(), message)
            .help("give the gateway a subnet of its own, or the nodes")
            .related(format!("{}.other.applicationGateways", reference.path()), "the gateway");
        for pool in pools {
            finding = finding.related(pool.path.as_str(), "also there");
        }
        out.push(cited(finding, ingress::APPLICATION_GATEWAY.about()));
    }
}

fn for_containers(gateway: &Gateway, tenants: &Tenants, out: &mut Vec<Finding>) {
    let (fact, about) = (ingress::GATEWAY_FOR_CONTAINERS.value, ingress::GATEWAY_FOR_CONTAINERS.about());
    let reference = gateway.reference;
    let Some(prefix) = prefix_of(gateway.subnet) else { return };
    let length = prefix.prefix_len();
    let new_subnet =
        "make a subnet of that size with the delegation and move the gateway there: a subnet in use keeps its size";
    if gateway.is_overlay() && length != fact.exactly_for_overlay {
        let message = format!(
            "`{reference}` is a /{length}: in front of overlay a gateway for containers takes exactly a /{}",
            fact.exactly_for_overlay
        );
        out.push(gateway.unfit(message, new_subnet, about).on(prefix));
    } else if length > fact.longest {
        let message = format!(
            "`{reference}` is a /{length}, and a gateway for containers takes {} addresses: a /{}",
            fact.addresses, fact.longest
        );
        out.push(gateway.unfit(message, new_subnet, about).on(prefix));
    }
    if !is_delegated(gateway.subnet, fact.delegation) {
        let message = match gateway.subnet.delegations.first() {
            Some(other) => {
                format!("`{reference}` is delegated to `{other}`, and the gateway needs `{}`", fact.delegation)
            }
            None => format!("`{reference}` is not delegated, and the gateway needs `{}`", fact.delegation),
        };
        let help = "set the delegation: `az network vnet subnet update --delegations Microsoft.ServiceNetworking/trafficControllers`";
        out.push(gateway.unfit(message, help, about));
    }
    let nodes: Vec<&Tenant> = tenants
        .of(reference)
        .iter()
        .filter(|tenant| matches!(tenant.kind, TenantKind::Nodes | TenantKind::Pods))
        .collect();
    // A delegated subnet with nodes is named already.
    if !nodes.is_empty() && gateway.subnet.delegations.is_empty() {
        out.push(shared(gateway, &nodes, about));
    }
    let beside =
        tenants.gateways.get(&(reference, IngressKind::ApplicationGatewayForContainers)).map_or(&[][..], Vec::as_slice);
    // Each pair is told once, at the later one.
    if let Some(first) = beside.first().filter(|first| **first != gateway.object) {
        let count = u64::try_from(beside.len()).unwrap_or(u64::MAX);
        let needed = u128::from(count.saturating_mul(fact.addresses));
        if gateway.is_overlay() {
            let message = format!(
                "{count} gateways for containers are in `{reference}`: in front of overlay each needs a subnet of its own"
            );
            out.push(
                gateway
                    .unfit(message, "give each gateway a /24 of its own", about)
                    .related(first, "another gateway there"),
            );
        } else if prefix.size() < needed && length <= fact.longest {
            let message = format!(
                "{count} gateways for containers in `{reference}` take {needed} addresses, and it has {}",
                prefix.size()
            );
            out.push(
                gateway
                    .unfit(message, "use a larger subnet, or one for each gateway", about)
                    .related(first, "another gateway there"),
            );
        }
    }
    if gateway.is_overlay() {
        in_other_network(gateway, ingress::GATEWAY_FOR_CONTAINERS_SAME_VNET.about(), out);
    }
}

fn application_gateway<'a>(
    ground: &Ground<'a>,
    gateway: &Gateway<'a>,
    tenants: &Tenants,
    name: &ClusterName,
    out: &mut Vec<Finding>,
) {
    let (fact, about) = (ingress::APPLICATION_GATEWAY.value, ingress::APPLICATION_GATEWAY.about());
    let reference = gateway.reference;
    let Some(prefix) = prefix_of(gateway.subnet) else { return };
    let length = prefix.prefix_len();
    let others: Vec<&Tenant> =
        tenants.of(reference).iter().filter(|tenant| tenant.kind != TenantKind::Gateway).collect();
    if !others.is_empty() {
        out.push(shared(gateway, &others, about));
    }
    for host in ground.hosts_in(&reference.network, &reference.subnet).iter().take(1) {
        let message = format!("`{reference}` is the application gateway's, and the machine `{host}` is there as well");
        out.push(
            gateway
                .unfit(message, "give the gateway a subnet of its own", about)
                .related(format!("hosts.{host}"), "also there"),
        );
    }
    if gateway.is_overlay() {
        if length < fact.shortest_for_overlay {
            let message = format!(
                "`{reference}` is a /{length}: in front of overlay an application gateway's subnet is a /{} at most",
                fact.shortest_for_overlay
            );
            out.push(gateway.unfit(message, "use a smaller subnet", about).on(prefix));
        }
        if !is_delegated(gateway.subnet, fact.delegation_for_overlay) {
            let message = format!(
                "`{reference}` is not delegated to `{}`, which an application gateway in front of overlay needs",
                fact.delegation_for_overlay
            );
            out.push(gateway.unfit(
                message,
                "set the delegation before the cluster is made or moved to overlay",
                about,
            ));
        }
        in_other_network(gateway, about, out);
    }
    if length > fact.recommended_v2 {
        let usable = prefix.size().saturating_sub(u128::from(address::SUBNET_RESERVED.value));
        let message = format!(
            "`{reference}` has {usable} usable addresses for the application gateway, and a /{} is recommended (up to {} instances)",
            fact.recommended_v2, fact.max_instances_v2
        );
        let finding = gateway.unfit(message, "use a /24, or accept this where the most instances are known", about);
        out.push(finding.severity(Severity::Warning).on(prefix));
    }
    if let WayOut::Route(table, at, NextHop::Appliance(_) | NextHop::UnknownAppliance) = ground.way_out(gateway.subnet)
    {
        let message = format!(
            "the default route of `{reference}` leads to an appliance, which an application gateway (v2) does not support"
        );
        let finding = gateway
            .unfit(
                message,
                "take the default route off this subnet",
                routing::APPLICATION_GATEWAY_DEFAULT_ROUTE.about(),
            )
            .related(format!("routeTables.{table}.routes.{at}"), "the default route");
        out.push(finding);
    }
    closed_group(ground, gateway, prefix, out);
    if gateway.cluster.mode == Some(Mode::Kubenet) {
        let nodes = gateway.cluster.pools.values().filter_map(|pool| ground.design.subnet(pool.subnet.as_ref()?));
        let table = nodes.filter_map(|subnet| subnet.route_table.as_ref()).next();
        if let Some(table) = table.filter(|table| gateway.subnet.route_table.as_ref() != Some(*table)) {
            let message = format!(
                "`{reference}` does not have the route table `{table}` of kubenet cluster `{name}`: the gateway can't reach pods"
            );
            let about = routing::APPLICATION_GATEWAY_DEFAULT_ROUTE.about();
            out.push(gateway.unfit(message, "associate the cluster's route table with the gateway's subnet", about));
        }
    }
}

/// The gateway's manager and the load balancer's probes have to be let in by a security group on the subnet.
fn closed_group(ground: &Ground, gateway: &Gateway, prefix: causeway_addr::Cidr, out: &mut Vec<Finding>) {
    let Some((name, group)) = group_on(ground.design, gateway.subnet) else { return };
    let (_, (first, last)) = nsg::APPLICATION_GATEWAY_PORTS.value;
    let inbound = |source, port| Flow {
        direction: Direction::Inbound,
        source,
        destination: Side::Vnet(prefix),
        protocol: Protocol::Tcp,
        port,
    };
    let manager = [first, last].map(|port| inbound(Side::Service("GatewayManager"), Some(port)));
    let what = if manager.iter().any(|flow| is_closed(judge(group, flow))) {
        format!("the gateway's manager (`GatewayManager`, tcp {first} to {last})")
    } else if is_closed(judge(group, &inbound(Side::LoadBalancer, None))) {
        "the probes of `AzureLoadBalancer`".to_owned()
    } else {
        return;
    };
    let message =
        format!("`{name}` on `{}` does not let in {what}, which an application gateway needs", gateway.reference);
    let help = "allow `GatewayManager` inbound on tcp 65200 to 65535 and `AzureLoadBalancer` on every port";
    let finding = gateway.unfit(message, help, nsg::APPLICATION_GATEWAY_PORTS.about());
    out.push(finding.related(format!("networkSecurityGroups.{name}"), "the group"));
}

fn is_closed(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Denied(_) | Verdict::DeniedByDefault)
}

/// Controllers that run as pods need a frontend address, which a load balancer takes from a subnet of the nodes' VNet.
fn in_cluster(gateway: &Gateway, out: &mut Vec<Finding>) {
    in_other_network(gateway, ingress::INTERNAL_FRONTEND_IN_NODE_SUBNET.about(), out);
}

fn in_other_network(gateway: &Gateway, about: About, out: &mut Vec<Finding>) {
    let networks: Vec<_> = gateway.cluster.networks().into_iter().collect();
    if !networks.is_empty() && !networks.contains(&&gateway.reference.network) {
        let message = format!(
            "`{}` is not in the nodes' VNet ({}): peering does not help here",
            gateway.reference,
            listed(&networks)
        );
        out.push(gateway.unfit(message, "use a subnet of the nodes' VNet", about));
    }
}

fn shared(gateway: &Gateway, others: &[&Tenant], about: About) -> Finding {
    let words = others.first().map_or("", |tenant| tenant.words.as_str());
    let rest = match others.len().saturating_sub(1) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let message = format!("`{}` is to be the gateway's alone, and {words}{rest} are there as well", gateway.reference);
    let mut finding = gateway.unfit(message, "give the gateway a subnet of its own", about);
    for tenant in others {
        finding = finding.related(tenant.path.as_str(), "also there");
    }
    finding
}
