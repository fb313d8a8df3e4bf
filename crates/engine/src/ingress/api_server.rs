//! The subnet of an API server with VNet integration.

use super::{Tenant, Tenants, is_delegated, prefix_of};
use crate::egress::ground::Ground;
use crate::say::{cited, listed};
use causeway_model::codes;
use causeway_model::design::*;
use causeway_model::facts::{About, address, control_plane};
use causeway_model::finding::{Finding, Severity};

pub(super) fn check(ground: &Ground, tenants: &Tenants, path: &str, cluster: &Cluster, out: &mut Vec<Finding>) {
    if cluster.api_server.access != ApiAccess::VnetIntegration {
        return;
    }
    let networks: Vec<_> = cluster.networks().into_iter().collect();
    let Some(reference) = &cluster.api_server.subnet else {
        if !networks.is_empty() && networks.iter().all(|network| ground.is_own(network)) {
            let message = format!(
                "the API server needs a subnet in {} for VNet integration, and none is named",
                listed(&networks)
            );
            let finding = Finding::new(codes::API_SERVER_SUBNET_UNFIT, format!("{path}.apiServer"), message)
                .help("make a subnet of a /28 or larger, delegated to `Microsoft.ContainerService/managedClusters`, and name it as `apiServer.subnet`");
            out.push(cited(finding, control_plane::DELEGATION.about()));
        }
        return;
    };
    let unfit = |message: String, help: &str, about: About| {
        let finding = Finding::new(codes::API_SERVER_SUBNET_UNFIT, format!("{path}.apiServer.subnet"), message)
            .help(help)
            .on(reference)
            .related(reference.path(), "the subnet");
        cited(finding, about)
    };
    if !networks.is_empty() && !networks.contains(&&reference.network) {
        let message = format!("`{reference}` is not in the nodes' VNet ({})", listed(&networks));
        out.push(unfit(message, "use a subnet of the nodes' VNet", control_plane::DELEGATION.about()));
    }
    let Some(subnet) = ground.design.subnet(reference) else { return };
    let Some(prefix) = prefix_of(subnet) else { return };
    let clusters = tenants.api_servers.get(reference).map_or(&[][..], Vec::as_slice);
    let count = u128::try_from(clusters.len()).unwrap_or(u128::MAX).max(1);
    let usable = prefix.size().saturating_sub(u128::from(address::SUBNET_RESERVED.value));
    let needed = count.saturating_mul(u128::from(control_plane::ADDRESSES_PER_CLUSTER.value));
    if prefix.prefix_len() > control_plane::SUBNET_LONGEST.value {
        let message = format!(
            "`{reference}` is a /{}, and the API server's subnet is a /{} at least",
            prefix.prefix_len(),
            control_plane::SUBNET_LONGEST.value
        );
        out.push(
            unfit(message, "use a /28, or a /27 if a second cluster may come", control_plane::SUBNET_LONGEST.about())
                .on(prefix),
        );
    } else if needed > usable {
        let message = format!(
            "the API servers of {} need {needed} addresses in `{reference}`, and {usable} are usable",
            listed(clusters)
        );
        let finding = unfit(
            message,
            "use a larger subnet, or one for each cluster",
            control_plane::ADDRESSES_PER_CLUSTER.about(),
        )
        .on(prefix)
        .evidence(format!(
            "{} for each of {count} clusters, and 5 of the subnet are reserved",
            control_plane::ADDRESSES_PER_CLUSTER.value
        ));
        out.push(finding);
    }
    let delegation = control_plane::DELEGATION.value;
    // AKS Automatic delegates the subnet by itself.
    let accepted = is_delegated(subnet, delegation) || (cluster.automatic && subnet.delegations.is_empty());
    if !accepted {
        let message = match subnet.delegations.first() {
            Some(other) => format!("`{reference}` is delegated to `{other}`, and the API server needs `{delegation}`"),
            None => format!("`{reference}` is not delegated, and the API server needs `{delegation}`"),
        };
        let help = "set the delegation: `az network vnet subnet update --delegations Microsoft.ContainerService/managedClusters`";
        out.push(unfit(message, help, control_plane::DELEGATION.about()));
    }
    let others: &[Tenant] = tenants.of(reference);
    let host = ground.hosts_in(&reference.network, &reference.subnet).first();
    let words = others.first().map(|tenant| tenant.words.clone()).or_else(|| Some(format!("the machine `{}`", host?)));
    beside(reference, subnet, &unfit, words.is_some(), out);
    if let Some(words) = words {
        let message = format!("`{reference}` is to be the API server's alone, and {words} are there as well");
        let message = if others.is_empty() { message.replace(" are there", " is there") } else { message };
        let mut finding = unfit(message, "give the API server a subnet of its own", control_plane::DELEGATION.about());
        for tenant in others {
            finding = finding.related(tenant.path.as_str(), "also there");
        }
        if let Some(host) = host {
            finding = finding.related(format!("hosts.{host}"), "also there");
        }
        out.push(finding);
    }
}

/// Others of whom only the number is known. What interfaces and frontends without a name are for can't be told: the
/// platform's own may be among them.
fn beside(
    reference: &SubnetRef,
    subnet: &Subnet,
    unfit: &impl Fn(String, &str, About) -> Finding,
    named: bool,
    out: &mut Vec<Finding>,
) {
    let other = &subnet.other;
    let help = "give the API server a subnet of its own";
    let about = control_plane::DELEGATION.about();
    let many = |count: u64, one, several| if count == 1 { one } else { several };
    let mut say = |what: &str, field: &str, message: String, severity: Severity| {
        let finding = unfit(message, help, about).severity(severity);
        out.push(finding.related(format!("{}.other.{field}", reference.path()), what));
    };
    let endpoints = other.private_endpoints;
    if endpoints > 0 && !named {
        let words = many(endpoints, "private endpoint is", "private endpoints are");
        let message = format!("`{reference}` is to be the API server's alone, and {endpoints} {words} there as well");
        say("also there", "privateEndpoints", message, Severity::Error);
    } else if other.nics > 0 && !named {
        let words = many(other.nics, "interface is", "interfaces are");
        let message = format!(
            "`{reference}` is to be the API server's alone, and {} {words} there as well: whose can't be told",
            other.nics
        );
        say("also there", "nics", message, Severity::Warning);
    }
}
