//! DNS names as WHERE: who has them in the design.

use crate::ends::End;
use crate::who::{Found, PortWord, Question, Target};
use causeway_model::suggest::nearest;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// Aliases that are followed; more is a circle.
const MOST_ALIASES: usize = 8;

impl Question<'_> {
    /// A DNS name: a service of the cluster, or whatever addresses the design has for it. Which of several a client gets is not asked.
    pub(crate) fn named(&self, name: &str, port: Option<&PortWord>) -> Result<Found, String> {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        let labels: Vec<&str> = name.split('.').collect();
        if let [service, namespace, "svc"] | [service, namespace, "svc", "cluster", "local"] = labels.as_slice() {
            return self.service(namespace, service, port);
        }
        let mut addresses: BTreeMap<IpAddr, String> = BTreeMap::new();
        let (mut asked, mut open) = (vec![name.clone()], None);
        for at in 0..MOST_ALIASES {
            let Some(name) = asked.get(at).cloned() else { break };
            self.private(&name, &mut addresses, &mut open);
            if let Some(public) = self.design.public_dns.get(&name) {
                for address in &public.addresses {
                    addresses.entry(*address).or_insert_with(|| "public".to_owned());
                }
                let alias = public.cname.as_ref().map(|alias| alias.trim_end_matches('.').to_ascii_lowercase());
                asked.extend(alias.filter(|alias| !asked.contains(alias)));
            }
        }
        if addresses.is_empty() {
            return Err(match open {
                Some(who) => format!("`{name}` is {who}, whose address is not known: give the address itself"),
                None => self.no_name(&name),
            });
        }
        let shown: Vec<String> = addresses.iter().map(|(address, of)| format!("{address} ({of})")).collect();
        let several = if addresses.len() > 1 { ": each is asked" } else { "" };
        let notes = vec![format!("`{name}` is {}{several}", shown.join(", "))];
        let targets = addresses.into_keys().map(|address| Target { end: End::Address(address), port: None }).collect();
        Ok(Found { targets, notes, ..Found::default() })
    }

    fn private(&self, name: &str, addresses: &mut BTreeMap<IpAddr, String>, open: &mut Option<String>) {
        let mut add = |address: Option<IpAddr>, who: String| match address {
            Some(address) => {
                addresses.entry(address).or_insert(who);
            }
            None => *open = Some(who),
        };
        for (endpoint, known) in &self.design.private_endpoints {
            if known.names.iter().any(|known| known.trim_end_matches('.').eq_ignore_ascii_case(name)) {
                add(known.ip, format!("private endpoint `{endpoint}`"));
            }
        }
        for (zone, known) in &self.design.private_dns_zones {
            let label = match name.strip_suffix(zone.as_str()) {
                Some("") => "@",
                Some(rest) => match rest.strip_suffix('.') {
                    Some(label) => label,
                    None => continue,
                },
                None => continue,
            };
            let records = known.records.get(label).or_else(|| known.records.get("*").filter(|_| label != "@"));
            for address in records.into_iter().flatten() {
                add(Some(*address), format!("private zone `{zone}`"));
            }
        }
        for (cluster, known) in &self.design.clusters {
            let own = known.api_server.private_fqdn.as_deref();
            if own.is_some_and(|own| own.trim_end_matches('.').eq_ignore_ascii_case(name)) {
                add(known.api_server.private_ip, format!("the API server of `{cluster}`"));
            }
        }
    }

    fn no_name(&self, name: &str) -> String {
        let zones = self.design.private_dns_zones.iter();
        let in_zones = zones.flat_map(|(zone, known)| known.records.keys().map(move |label| format!("{label}.{zone}")));
        let endpoints = self.design.private_endpoints.values().flat_map(|known| known.names.iter().cloned());
        let all: Vec<String> = self.design.public_dns.keys().cloned().chain(in_zones).chain(endpoints).collect();
        let hint = match nearest(name, all.iter().map(String::as_str)) {
            Some(nearest) => format!("; did you mean `{nearest}`?"),
            None => String::new(),
        };
        format!("nobody here has the name `{name}`{hint}; names are not looked up: give an address")
    }
}
