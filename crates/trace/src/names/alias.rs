//! Public names of platform services, and the privatelink names they are an alias of where the service has a private endpoint
//! (azure-facts `pdns.mechanism`, `pdns.zones`).

use super::domain::{normal, relative};
use super::zones;
use causeway_model::design::*;
use causeway_model::facts::{control_plane, private_zones};
use std::collections::BTreeMap;

/// The privatelink names a public name may be an alias of, by the table of services; several where services share a suffix. API servers are
/// none of them: their private names are nobody's alias.
pub(super) fn of(name: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for row in private_zones::for_name(name) {
        for (at, suffix) in row.suffixes.iter().enumerate() {
            // Rows either have one zone for every suffix, or one for all of them.
            let zone = row.zones.get(at).or(row.zones.first());
            let alias = zone.filter(|zone| !zone.ends_with("azmk8s.io")).and_then(|zone| below(name, suffix, zone));
            out.extend(alias.filter(|alias| !out.contains(alias)));
        }
    }
    out
}

/// A name below a suffix, moved below a zone: placeholders of the zone take the labels the suffix's had, those the zone does not use
/// stay in front.
fn below(name: &str, suffix: &str, zone: &str) -> Option<String> {
    let names: Vec<&str> = name.split('.').collect();
    let patterns: Vec<&str> = suffix.split('.').collect();
    let own = names.len().checked_sub(patterns.len()).filter(|own| *own > 0)?;
    let (own, end) = names.split_at_checked(own)?;
    let mut captured: BTreeMap<&str, &str> = BTreeMap::new();
    let mut front: Vec<&str> = own.to_vec();
    for (pattern, label) in patterns.iter().zip(end) {
        if pattern.starts_with('{') {
            captured.insert(pattern, label);
            if !zone.split('.').any(|used| used == *pattern) {
                front.push(label);
            }
        } else if !pattern.eq_ignore_ascii_case(label) {
            return None;
        }
    }
    let filled: Option<Vec<&str>> = zone
        .split('.')
        .map(|label| if label.starts_with('{') { captured.get(label).copied() } else { Some(label) })
        .collect();
    Some(format!("{}.{}", front.join("."), filled?.join(".")))
}

/// The private endpoint a public name belongs to: one that lists it, or one that a record of its privatelink name leads to. One whose
/// connection was taken away makes no alias.
pub(super) fn endpoint<'a>(design: &'a Design, name: &str, aliases: &[String]) -> Option<&'a PrivateEndpointName> {
    let lives = |endpoint: &PrivateEndpoint| {
        !matches!(endpoint.connection, Some(EndpointConnection::Rejected | EndpointConnection::Disconnected))
    };
    let listed = |endpoint: &PrivateEndpoint| endpoint.names.iter().any(|own| normal(own) == name);
    let recorded = |endpoint: &PrivateEndpoint| {
        let leads = |alias: &String| {
            zones::any_record(design, alias).is_some_and(|ips| endpoint.ip.is_some_and(|ip| ips.contains(&ip)))
        };
        aliases.iter().any(leads)
    };
    let mut living = design.private_endpoints.iter().filter(|(_, endpoint)| lives(endpoint));
    let found = living
        .clone()
        .find(|(_, endpoint)| listed(endpoint))
        .or_else(|| living.find(|(_, endpoint)| recorded(endpoint)));
    found.map(|(name, _)| name)
}

/// Whether public DNS has privatelink names of the zone a name is in: those of services lead to the public address, so nothing looks wrong
/// without a link. API servers' do not exist there.
pub(super) fn is_privatelink_of_service(name: &str) -> bool {
    super::domain::above(name).any(|zone| private_zones::is_zone(zone) && !is_api_server_zone(zone))
}

/// Whether a name is one that only the private zone of an API server has.
pub(super) fn is_private_api_server(name: &str) -> bool {
    super::domain::above(name).any(is_api_server_zone)
}

fn is_api_server_zone(zone: &str) -> bool {
    control_plane::is_private_link_zone(zone, None) || control_plane::is_vnet_integration_zone(zone, None)
}

/// Names that public DNS never has: a single label, and what is set aside for use inside (RFC 6761, RFC 6762, RFC 7686, ICANN's `internal`).
pub(super) fn never_public(name: &str) -> bool {
    const INSIDE: [&str; 5] = ["local", "localhost", "internal", "invalid", "onion"];
    !name.contains('.') || INSIDE.iter().any(|top| relative(name, top).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_names_become_privatelink_names() {
        for (name, aliases) in [
            ("kv-prod.vault.azure.net", &["kv-prod.privatelink.vaultcore.azure.net"][..]),
            ("data.blob.core.windows.net", &["data.privatelink.blob.core.windows.net"]),
            ("shop.azurecr.io", &["shop.privatelink.azurecr.io"]),
            ("c.westeurope.kusto.windows.net", &["c.privatelink.westeurope.kusto.windows.net"]),
            ("b.westeurope.batch.azure.com", &["b.westeurope.privatelink.batch.azure.com"]),
            ("ws.api.azureml.ms", &["ws.privatelink.api.azureml.ms"]),
            ("ws.notebooks.azure.net", &["ws.privatelink.notebooks.azure.net"]),
            ("c-1.hcp.westeurope.azmk8s.io", &[]),
            ("example.net", &[]),
            ("vault.azure.net", &[]),
        ] {
            let found = of(name);
            assert!(aliases.iter().all(|alias| found.iter().any(|found| found == alias)), "{name}: {found:?}");
            assert_eq!(aliases.is_empty(), found.is_empty(), "{name}: {found:?}");
        }
        assert!(of("r.westeurope.data.azurecr.io").contains(&"r.westeurope.data.privatelink.azurecr.io".to_owned()));
    }
}
