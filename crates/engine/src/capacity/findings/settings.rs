//! Numbers of the outbound configuration that the platform does not accept.

use super::super::egress::gateway_ips;
use causeway_model::arithmetic::snat as ports;
use causeway_model::codes;
use causeway_model::design::{Cluster, ClusterName, Design, OutboundType};
use causeway_model::facts::{About, Limits, Setting, limits as dated, snat as facts};
use causeway_model::finding::Finding;

/// The annotation of a Service that sets its inbound idle timeout; written with `service.beta.kubernetes.io/` in front.
const INBOUND_IDLE: &str = "azure-load-balancer-tcp-idle-timeout";

/// All of them.
pub(super) fn check(design: &Design, out: &mut Vec<Finding>) {
    let (limits, _) = Limits::with_overrides(&design.limit_overrides);
    for (name, cluster) in &design.clusters {
        outbound(&limits, name, cluster, out);
        services(name, cluster, out);
    }
    for (name, gateway) in &design.nat_gateways {
        let path = format!("natGateways.{name}");
        idle(
            &path,
            gateway.idle_timeout_minutes,
            "a NAT gateway",
            facts::NAT_GATEWAY_IDLE_MINUTES.value,
            facts::NAT_GATEWAY_IDLE_MINUTES.about(),
            out,
        );
        addresses(
            format!("{path}.publicIps"),
            gateway_ips(gateway),
            "a NAT gateway",
            limits.nat_gateway_ips,
            facts::NAT_GATEWAY_IPS.about(),
            out,
        );
    }
}

fn refused(object: impl Into<String>, message: String, fact: About) -> Finding {
    Finding::new(codes::OUTBOUND_SETTING_OUT_OF_RANGE, object, message).evidence(fact.to_string()).since(fact.as_of)
}

fn outbound(limits: &Limits, name: &ClusterName, cluster: &Cluster, out: &mut Vec<Finding>) {
    let outbound = &cluster.outbound;
    let path = format!("clusters.{name}.outbound");
    let ips = outbound.ips.map(u64::from);
    match outbound.kind {
        OutboundType::LoadBalancer => {
            fixed_ports(&path, outbound.ports_per_node, out);
            idle(
                &path,
                outbound.idle_timeout_minutes,
                "the load balancer's outbound rule",
                facts::LB_IDLE_MINUTES.value,
                facts::LB_IDLE_MINUTES.about(),
                out,
            );
            addresses(
                format!("{path}.ips"),
                ips,
                "a load balancer",
                limits.managed_outbound_ips,
                dated::MANAGED_OUTBOUND_IPS.about(),
                out,
            );
        }
        OutboundType::ManagedNatGateway | OutboundType::ManagedNatGatewayV2 => {
            idle(
                &path,
                outbound.idle_timeout_minutes,
                "a NAT gateway",
                facts::NAT_GATEWAY_IDLE_MINUTES.value,
                facts::NAT_GATEWAY_IDLE_MINUTES.about(),
                out,
            );
            addresses(
                format!("{path}.ips"),
                ips,
                "a NAT gateway",
                limits.nat_gateway_ips,
                facts::NAT_GATEWAY_IPS.about(),
                out,
            );
        }
        OutboundType::UserAssignedNatGateway
        | OutboundType::UserDefinedRouting
        | OutboundType::None
        | OutboundType::Block => {}
    }
}

fn fixed_ports(path: &str, stated: Option<u32>, out: &mut Vec<Finding>) {
    let Some(stated) = stated.map(u64::from) else { return };
    let most = ports::PORTS_PER_LOAD_BALANCER_IP;
    let nearest = |value: u64| value - value % ports::PORT_STEP;
    if stated > most {
        out.push(
            refused(
                format!("{path}.portsPerNode"),
                format!("`portsPerNode: {stated}` is more than the {most} ports of an address"),
                facts::LB_ALLOCATED_PORTS.about(),
            )
            .on(stated)
            .help(format!("take {} at most", nearest(most))),
        );
    } else if !stated.is_multiple_of(ports::PORT_STEP) {
        let below = nearest(stated);
        let above = below.saturating_add(ports::PORT_STEP);
        let choice = if below == 0 { above.to_string() } else { format!("{below} or {above}") };
        out.push(
            refused(
                format!("{path}.portsPerNode"),
                format!("`portsPerNode: {stated}` is no multiple of {}", ports::PORT_STEP),
                facts::LB_PORT_STEP.about(),
            )
            .on(stated)
            .help(format!("take {choice}")),
        );
    }
}

fn idle(path: &str, stated: Option<u32>, whose: &str, bounds: Setting, fact: About, out: &mut Vec<Finding>) {
    let Some(stated) = stated.map(u64::from) else { return };
    if bounds.allows(stated) {
        return;
    }
    out.push(
        refused(
            format!("{path}.idleTimeoutMinutes"),
            format!(
                "an idle timeout of {stated} minutes is outside the {} to {} that {whose} takes",
                bounds.min, bounds.max
            ),
            fact,
        )
        .on(stated)
        .help(format!("take {}", stated.clamp(bounds.min, bounds.max))),
    );
}

fn addresses(object: String, stated: Option<u64>, whose: &str, most: u64, fact: About, out: &mut Vec<Finding>) {
    let Some(stated) = stated else { return };
    if (1..=most).contains(&stated) {
        return;
    }
    out.push(
        refused(object, format!("{stated} outbound addresses are outside the 1 to {most} that {whose} takes"), fact)
            .on(stated)
            .help(format!("take {}", stated.clamp(1, most.max(1)))),
    );
}

fn services(name: &ClusterName, cluster: &Cluster, out: &mut Vec<Finding>) {
    let bounds = facts::INBOUND_IDLE_MINUTES;
    for (at, service) in cluster.services.iter().enumerate() {
        let stated = service.annotations.iter().find(|(key, _)| key.rsplit('/').next() == Some(INBOUND_IDLE));
        let Some((_, stated)) = stated else { continue };
        let whole = stated.trim().parse::<u64>();
        if whole.as_ref().is_ok_and(|minutes| bounds.allows(*minutes)) {
            continue;
        }
        let help = match whole {
            Ok(minutes) => format!("take {}", minutes.clamp(bounds.min, bounds.max)),
            Err(_) => format!("take a whole number from {} to {}", bounds.min, bounds.max),
        };
        out.push(
            refused(
                format!("clusters.{name}.services.{at}"),
                format!(
                    "`{INBOUND_IDLE}: {stated}` of service `{}/{}` is outside the {} to {} minutes an inbound rule takes",
                    service.namespace, service.name, bounds.min, bounds.max
                ),
                facts::LB_IDLE_MINUTES.about(),
            )
            .on(stated)
            .help(help),
        );
    }
}
