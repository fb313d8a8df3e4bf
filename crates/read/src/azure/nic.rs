//! Network interfaces of machines that are neither nodes nor private endpoints: hosts of the design.

use super::inventory::Object;
use super::kind::Kind;
use super::resource::ResourceId;
use super::translate::Translation;
use super::value::*;
use crate::tree::{MapBuilder, Node};
use causeway_model::source::Span;
use std::collections::BTreeSet;
use std::sync::Arc;

pub(super) fn hosts(cx: &mut Translation) -> Vec<(Arc<str>, Span, Node)> {
    let nics: Vec<Object> = cx.inventory.of(Kind::NetworkInterface).filter(|nic| is_host(cx, nic)).cloned().collect();
    let mut out = Vec::new();
    for nic in &nics {
        let Some(Configuration { ip, network, .. }) = first(cx, nic) else {
            cx.unknown(nic.name_span, format!("the interface `{}` has no private address that is known", nic.name));
            continue;
        };
        if let Some(forwarding) = nic.get("enableIPForwarding").filter(|node| truth(node) == Some(true)) {
            let span = forwarding.span;
            cx.unknown(
                span,
                format!(
                    "`{}` forwards packets of others: if it is an appliance, describe it under `firewalls`",
                    nic.name
                ),
            );
        }
        let nsg = cx.name_node(nic.first(|body| reference(body, "networkSecurityGroup")));
        let node =
            MapBuilder::new(nic.span()).set("ip", None, ip).set("network", None, network).set("nsg", None, nsg).build();
        out.extend(cx.name(&nic.id).map(|name| (name, nic.name_span, node)));
    }
    out
}

/// The configurations whose address the host of their interface holds.
pub(super) fn first_configurations(cx: &Translation) -> BTreeSet<ResourceId> {
    let hosts = cx.inventory.of(Kind::NetworkInterface).filter(|nic| is_host(cx, nic));
    hosts.filter_map(|nic| first(cx, nic)?.id).collect()
}

struct Configuration {
    id: Option<ResourceId>,
    ip: Node,
    network: Node,
}

/// The primary configuration, else the first with an address and a subnet.
fn first(cx: &Translation, nic: &Object) -> Option<Configuration> {
    let mut configurations = nic.all("ipConfigurations");
    configurations.sort_by_key(|configuration| flag(configuration, "primary") != Some(true));
    configurations.into_iter().find_map(|configuration| {
        let ip = address(configuration)?;
        let (subnet, at) = reference(configuration, "subnet")?;
        let network = cx.name(&cx.inventory.settled(&subnet).parent()?)?;
        let own = configuration.get_ci("id").and_then(id_of).map(|(id, _)| cx.inventory.settled(&id));
        let name = text(configuration, "name").and_then(Node::text);
        let id = own.or_else(|| nic.id.child("ipConfigurations", name?));
        Some(Configuration { id, ip, network: Node::str(at.span, network) })
    })
}

/// The private address of a configuration, if it is one.
pub(super) fn address(configuration: &Node) -> Option<Node> {
    let address = text(configuration, "privateIPAddress")?;
    causeway_addr::parse_address(address.text()?.trim()).ok()?;
    copy(address)
}

fn is_host(cx: &Translation, nic: &Object) -> bool {
    let of_a_node = nic.id.group().is_some_and(|group| cx.cluster_of_group(group).is_some());
    nic.is_given() && !of_a_node && !cx.endpoint_nics.contains(&nic.id)
}
