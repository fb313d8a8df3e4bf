//! Servers of one network that give different answers: which one is asked depends on which one is up.

use super::resolver::{Answerer, of_server};
use crate::say::{cited, listed};
use causeway_model::codes;
use causeway_model::design::*;
use causeway_model::facts::special;
use causeway_model::finding::Finding;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

pub(super) fn check(design: &Design, out: &mut Vec<Finding>) {
    let used: BTreeSet<&NetworkName> = design.clusters.values().flat_map(Cluster::networks).collect();
    for name in used {
        let Some((name, network)) = design.networks.get_key_value(name) else { continue };
        let DnsServers::Custom(servers) = &network.dns_servers else { continue };
        if servers.len() > 1 {
            out.extend(disagreement(design, name, servers));
        }
    }
}

fn disagreement(design: &Design, network: &NetworkName, servers: &[IpAddr]) -> Option<Finding> {
    let (network, _) = design.networks.get_key_value(network)?;
    let mut differing: Vec<&str> = Vec::new();
    let mut seen: BTreeMap<IpAddr, BTreeSet<&str>> = BTreeMap::new();
    let mut blind: BTreeMap<IpAddr, BTreeSet<&str>> = BTreeMap::new();
    for (domain, zone) in &design.private_dns_zones {
        // Only servers whose answer is known take part.
        let answers: Vec<(IpAddr, bool)> = servers
            .iter()
            .filter_map(|server| match of_server(design, network, *server, domain) {
                Answerer::Platform(asked) => Some((*server, zone.links.contains(asked))),
                Answerer::Unknown => None,
            })
            .collect();
        if answers.iter().any(|(_, sees)| *sees) && answers.iter().any(|(_, sees)| !*sees) {
            differing.push(domain);
            for (server, sees) in answers {
                let map = if sees { &mut seen } else { &mut blind };
                map.entry(server).or_default().insert(domain);
            }
        }
    }
    if differing.is_empty() {
        return None;
    }
    let (seeing, missing): (Vec<&IpAddr>, Vec<&IpAddr>) = (seen.keys().collect(), blind.keys().collect());
    let message = format!(
        "the DNS servers of `{network}` disagree about {}: {} {} the private addresses, {} the public ones",
        listed(&differing),
        listed(&seeing),
        crate::say::plural(seeing.len(), "gives", "give"),
        listed(&missing)
    );
    let mut finding = Finding::new(codes::DNS_UPSTREAMS_DISAGREE, format!("networks.{network}.dnsServers"), message)
        .help("let all servers forward these zones to a resolver that is linked to them; a network asks the next server only when one is silent");
    for server in seeing.into_iter().chain(missing) {
        finding = finding.on(server);
        if let Some((host, _)) = design.hosts.iter().find(|(_, host)| host.ip == *server) {
            finding = finding.related(format!("hosts.{host}"), "a server");
        }
    }
    Some(cited(finding, special::ZONE_LINK_IS_PER_VNET.about()))
}
