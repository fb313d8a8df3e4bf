//! Settings of a cluster that do not go together.

mod addons;

use super::{cited, has_windows};
use crate::Context;
use causeway_addr::Cidr;
use causeway_model::codes;
use causeway_model::design::*;
use causeway_model::facts::outbound::{self, VnetOwner};
use causeway_model::facts::{About, ModeFacts, Support, automatic, cilium, control_plane, lifecycle, policy};
use causeway_model::finding::{Finding, Severity};
use std::collections::BTreeSet;

/// Everything that can be said of one cluster, collected with its path.
struct Clash<'a> {
    path: &'a str,
    out: &'a mut Vec<Finding>,
}

impl Clash<'_> {
    fn refuse(&mut self, field: &str, about: About, message: String, help: &str) {
        let object = if field.is_empty() { self.path.to_owned() } else { format!("{}.{field}", self.path) };
        self.out.push(cited(Finding::new(codes::COMBINATION_UNSUPPORTED, object, message).help(help), about));
    }
}

pub(super) fn check(cx: &Context, path: &str, cluster: &Cluster, out: &mut Vec<Finding>) {
    let mut clash = Clash { path, out };
    if let Some(mode) = cluster.mode {
        by_mode(&mut clash, cluster, mode);
        families(&mut clash, cx, cluster, mode);
    }
    on_cilium(&mut clash, cluster);
    host_routing(&mut clash, cluster);
    engine(&mut clash, cluster);
    auto_provisioning(&mut clash, cluster);
    outbound_type(&mut clash, cx, cluster);
    api_server(&mut clash, cluster);
    addons::check(&mut clash, cx, cluster);
}

fn by_mode(clash: &mut Clash, cluster: &Cluster, mode: Mode) {
    let facts = ModeFacts::of(mode);
    if facts.supports_dataplane(cluster.dataplane) == Support::No {
        clash.refuse(
            "dataplane",
            facts.dataplanes.about(),
            format!("`{mode}` does not run on the data plane `{}`", cluster.dataplane),
            "use another mode or another data plane",
        );
    }
    if let Some(engine) = cluster.network_policy
        && facts.supports_dataplane(cluster.dataplane) != Support::No
        && facts.supports_engine(cluster.dataplane, engine) == Support::No
    {
        clash.refuse(
            "networkPolicy",
            facts.policy_engines.about(),
            format!("the policy engine `{engine}` does not go with `{mode}` on the data plane `{}`", cluster.dataplane),
            "choose an engine the mode has, or none",
        );
    }
    if has_windows(cluster) && facts.windows.value == Support::No {
        clash.refuse(
            "mode",
            facts.windows.about(),
            format!("`{mode}` has no Windows pools"),
            "use overlay for Windows pools",
        );
    }
    if let (Some(least), Some(version)) = (facts.min_kubernetes.value, cluster.version)
        && version < least
    {
        clash.refuse(
            "version",
            facts.min_kubernetes.about(),
            format!("`{mode}` needs Kubernetes {least} or later, this cluster runs {version}"),
            "upgrade first, or use dynamic allocation until then",
        );
    }
    let isolated = matches!(cluster.outbound.kind, OutboundType::None | OutboundType::Block);
    if isolated && facts.network_isolated.value == Support::No {
        clash.refuse(
            "outbound.type",
            facts.network_isolated.about(),
            format!("a network isolated cluster (`{}`) can't use `{mode}`", cluster.outbound.kind),
            "use overlay or a pod subnet",
        );
    }
    if mode == Mode::Overlay {
        machines(clash, cluster);
    }
    for (at, ingress) in cluster.ingress.iter().enumerate() {
        let fact = match ingress.kind {
            IngressKind::ApplicationGateway => &facts.application_gateway,
            IngressKind::ApplicationGatewayForContainers => &facts.gateway_for_containers,
            _ => continue,
        };
        if fact.value == Support::No {
            clash.refuse(
                &format!("ingress.{at}.kind"),
                fact.about(),
                format!("`{}` does not go with `{mode}`", ingress.kind),
                "use another ingress, or another mode",
            );
        }
    }
}

/// Machines an overlay can't have.
fn machines(clash: &mut Clash, cluster: &Cluster) {
    for (name, pool) in &cluster.pools {
        if pool.availability_set {
            clash.refuse(
                &format!("pools.{name}"),
                lifecycle::OVERLAY_NOT_WITH.about(),
                format!("the nodes of pool `{name}` are of an availability set, which overlay does not support"),
                "make the pool of a scale set",
            );
        }
        if let Some(size) = pool.vm_size.as_deref().filter(|size| is_dcsv2(size)) {
            clash.refuse(
                &format!("pools.{name}.vmSize"),
                lifecycle::OVERLAY_NOT_WITH.about(),
                format!(
                    "the nodes of pool `{name}` are of the size `{size}`, and overlay does not support DCsv2 sizes"
                ),
                "take another size, as one of the DCsv3 series",
            );
        }
    }
}

/// `Standard_DC2s_v2` and its like: `DC`, a number, `s` or not, version 2.
fn is_dcsv2(size: &str) -> bool {
    let size = size.to_ascii_lowercase();
    let Some(middle) = size.strip_prefix("standard_dc").and_then(|rest| rest.strip_suffix("_v2")) else { return false };
    let number = middle.strip_suffix('s').unwrap_or(middle);
    !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
}

fn families(clash: &mut Clash, cx: &Context, cluster: &Cluster, mode: Mode) {
    if !cluster.ip_families.contains(&IpFamily::Ipv6) {
        return;
    }
    let facts = ModeFacts::of(mode);
    if !cluster.ip_families.contains(&IpFamily::Ipv4) {
        clash.refuse(
            "ipFamilies",
            facts.dual_stack.about(),
            "a cluster can't be IPv6 only".to_owned(),
            "use `[ipv4, ipv6]`",
        );
        return;
    }
    if facts.dual_stack.value == Support::No {
        clash.refuse(
            "ipFamilies",
            facts.dual_stack.about(),
            format!("`{mode}` has no dual stack"),
            "only overlay carries IPv4 and IPv6 together",
        );
    }
    if mode == Mode::Overlay {
        for (name, pool) in &cluster.pools {
            let Some(reference) = &pool.subnet else { continue };
            let prefixes = cx.design.subnet(reference).map(|subnet| subnet.prefixes.as_slice()).unwrap_or_default();
            if !prefixes.is_empty() && prefixes.iter().all(Cidr::is_v4) {
                clash.refuse(
                    &format!("pools.{name}.subnet"),
                    facts.dual_stack.about(),
                    format!(
                        "nodes of a dual-stack cluster have IPv6 addresses too, and `{reference}` has no IPv6 prefix"
                    ),
                    "add a /64 to the subnet and its network, or use `[ipv4]`",
                );
            }
        }
    }
    nat_gateways(clash, cx, cluster, facts.dual_stack.about());
    match cluster.network_policy {
        Some(PolicyEngine::Azure) => clash.refuse(
            "networkPolicy",
            policy::NPM.about(),
            "Azure NPM does not handle IPv6: it does not go with dual stack".to_owned(),
            "use Cilium",
        ),
        Some(PolicyEngine::Calico) => clash.refuse(
            "networkPolicy",
            policy::CALICO_WITH_AUTO_PROVISIONING_OR_DUAL_STACK.about(),
            "Calico does not go with dual stack".to_owned(),
            "use Cilium",
        ),
        _ => {}
    }
    if cluster.dataplane == Dataplane::Cilium
        && let Some(version) = cluster.version.filter(|version| *version < cilium::DUAL_STACK_FROM.value)
    {
        clash.refuse(
            "version",
            cilium::DUAL_STACK_FROM.about(),
            format!(
                "dual stack with Cilium needs Kubernetes {} or later, this cluster runs {version}",
                cilium::DUAL_STACK_FROM.value
            ),
            "upgrade first",
        );
    }
}

/// A NAT gateway of the SKU Standard carries IPv4 only.
fn nat_gateways(clash: &mut Clash, cx: &Context, cluster: &Cluster, about: About) {
    let help = "take a NAT gateway of the SKU StandardV2, or the load balancer";
    match cluster.outbound.kind {
        OutboundType::ManagedNatGateway => clash.refuse(
            "outbound.type",
            about,
            "dual stack does not go with a NAT gateway of the SKU Standard, and the managed one is such".to_owned(),
            help,
        ),
        OutboundType::UserAssignedNatGateway => {
            let subnets = cluster.pools.values().filter_map(|pool| cx.design.subnet(pool.subnet.as_ref()?));
            let names: BTreeSet<&NatGatewayName> = subnets.filter_map(|subnet| subnet.nat_gateway.as_ref()).collect();
            for name in names {
                let sku = cx.design.nat_gateways.get(name).and_then(|gateway| gateway.sku.as_deref());
                let (message, severity) = match sku {
                    Some(sku) if sku.eq_ignore_ascii_case("Standard") => (
                        format!("dual stack does not go with the NAT gateway `{name}`, which is of the SKU `{sku}`"),
                        Severity::Error,
                    ),
                    None => (
                        format!(
                            "dual stack does not go with a NAT gateway of the SKU Standard, and that of `{name}` is not stated"
                        ),
                        Severity::Warning,
                    ),
                    Some(_) => continue,
                };
                let object = format!("{}.outbound.type", clash.path);
                let finding = Finding::new(codes::COMBINATION_UNSUPPORTED, object, message)
                    .severity(severity)
                    .help(help)
                    .related(format!("natGateways.{name}"), "the gateway");
                clash.out.push(cited(finding, about));
            }
        }
        _ => {}
    }
}

fn on_cilium(clash: &mut Clash, cluster: &Cluster) {
    if cluster.dataplane != Dataplane::Cilium {
        return;
    }
    if has_windows(cluster) {
        clash.refuse(
            "dataplane",
            cilium::SYSTEMS.about(),
            "the Cilium data plane has no Windows pools".to_owned(),
            "use the azure data plane, or a cluster of its own for Windows",
        );
    }
    if let Some(mode) = cluster.kube_proxy.mode.filter(|mode| *mode != KubeProxyMode::None) {
        let finding = Finding::new(
            codes::COMBINATION_UNSUPPORTED,
            format!("{}.kubeProxy.mode", clash.path),
            format!("the Cilium data plane runs no kube-proxy; `{mode}` has no effect"),
        )
        .severity(Severity::Warning)
        .help("leave `kubeProxy` out");
        clash.out.push(cited(finding, cilium::KUBE_PROXY.about()));
    }
}

fn host_routing(clash: &mut Clash, cluster: &Cluster) {
    if !cluster.ebpf_host_routing {
        return;
    }
    let fact = &cilium::HOST_ROUTING;
    if cluster.dataplane != Dataplane::Cilium {
        clash.refuse(
            "ebpfHostRouting",
            fact.about(),
            "eBPF host routing needs the Cilium data plane".to_owned(),
            "set `dataplane: cilium`",
        );
    }
    if let Some(version) = cluster.version.filter(|version| *version < fact.value.min_kubernetes) {
        clash.refuse(
            "ebpfHostRouting",
            fact.about(),
            format!(
                "eBPF host routing needs Kubernetes {} or later, this cluster runs {version}",
                fact.value.min_kubernetes
            ),
            "upgrade first",
        );
    }
}

fn engine(clash: &mut Clash, cluster: &Cluster) {
    if cluster.network_policy == Some(PolicyEngine::Azure) && cluster.kube_proxy.mode == Some(KubeProxyMode::Ipvs) {
        clash.refuse(
            "kubeProxy.mode",
            policy::NPM_WITH_IPVS.about(),
            "Azure NPM does not work with kube-proxy in IPVS mode".to_owned(),
            "use iptables, or another engine",
        );
    }
}

fn auto_provisioning(clash: &mut Clash, cluster: &Cluster) {
    if !cluster.node_auto_provisioning {
        return;
    }
    let about = automatic::AUTO_PROVISIONING_MODES.about();
    if let Some(mode) = cluster.mode.filter(|mode| !automatic::AUTO_PROVISIONING_MODES.value.contains(mode)) {
        clash.refuse(
            "nodeAutoProvisioning",
            about,
            format!("node auto-provisioning does not go with `{mode}`"),
            "use overlay, or switch auto-provisioning off",
        );
    }
    let mut also = |what: &str| {
        clash.refuse(
            "nodeAutoProvisioning",
            about,
            format!("node auto-provisioning does not go with {what}"),
            "switch auto-provisioning off, or do without",
        );
    };
    if cluster.network_policy == Some(PolicyEngine::Calico) {
        also("Calico");
    }
    if has_windows(cluster) {
        also("Windows pools");
    }
    if cluster.ip_families.contains(&IpFamily::Ipv6) {
        also("IPv6");
    }
}

fn outbound_type(clash: &mut Clash, cx: &Context, cluster: &Cluster) {
    let kind = cluster.outbound.kind;
    let fact = outbound::of(kind);
    let named: Vec<_> = cluster.pools.values().filter_map(|pool| pool.subnet.as_ref()).collect();
    let managed =
        |subnet: &&SubnetRef| cx.design.networks.get(&subnet.network).is_some_and(|network| network.managed_by_aks);
    let owner = match named.as_slice() {
        // No pool names a subnet: the platform makes a VNet, but only if there are pools at all to tell by.
        [] if cluster.pools.is_empty() => return,
        [] => VnetOwner::Managed,
        subnets if subnets.iter().all(managed) => VnetOwner::Managed,
        _ => VnetOwner::Own,
    };
    if outbound::allowed_in(kind, owner) {
        return;
    }
    let (message, help) = match owner {
        VnetOwner::Own => (
            format!("`{kind}` works only in a VNet the platform makes, and the pools are in a VNet of your own"),
            "use `userAssignedNATGateway` with a NAT gateway on the node subnet",
        ),
        VnetOwner::Managed => (
            format!("`{kind}` works only in a VNet of your own, and no pool names a subnet"),
            "name subnets for the pools, or use another outbound type",
        ),
    };
    clash.refuse("outbound.type", fact.about(), message, help);
}

fn api_server(clash: &mut Clash, cluster: &Cluster) {
    let server = &cluster.api_server;
    let ranges = server.authorized_ranges.as_ref().is_some_and(|ranges| !ranges.is_empty());
    let nameless = server.private_dns_zone.as_deref() == Some("none") && server.public_fqdn == Some(false);
    if server.access == ApiAccess::Private && nameless {
        clash.refuse(
            "apiServer.privateDnsZone",
            control_plane::ZONE_NONE_WITHOUT_PUBLIC_NAME.about(),
            "a private API server with neither a private zone nor a public name has no name that resolves".to_owned(),
            "keep the public name, or use a private zone",
        );
    }
    if server.access == ApiAccess::Private && ranges {
        clash.refuse(
            "apiServer.authorizedRanges",
            control_plane::PRIVATE_TAKES_AUTHORIZED_RANGES.about(),
            "authorized ranges can't be used with a private API server".to_owned(),
            "remove the ranges: who reaches the endpoint is decided by networks and security groups",
        );
    }
}
