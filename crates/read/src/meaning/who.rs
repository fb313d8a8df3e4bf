//! WHO and WHERE in expectations and loads: names of the design must exist; addresses and DNS names are taken as they are.

use super::Meaning;
use crate::document::DesignDocument;
use causeway_model::suggest::nearest;
use std::collections::BTreeSet;

/// Everything that can be named: `pod/NS/NAME`, `service/NS/NAME`, `node/NAME`, `host/NAME`, `pool/CLUSTER/NAME`,
/// `apiServer/CLUSTER`, `internet`; objects of a cluster also with `CLUSTER/` in front.
pub(super) fn names(document: &DesignDocument) -> BTreeSet<String> {
    let mut out = BTreeSet::from(["internet".to_owned()]);
    for (host, _) in document.hosts.iter().flat_map(|hosts| &hosts.0) {
        out.insert(format!("host/{host}"));
    }
    for (name, cluster) in document.clusters.iter().flat_map(|clusters| &clusters.0) {
        out.insert(format!("apiServer/{name}"));
        let mut inside = Vec::new();
        for (pool, _) in cluster.pools.iter().flat_map(|pools| &pools.0) {
            out.insert(format!("pool/{name}/{pool}"));
        }
        for (node, _) in cluster.nodes.iter().flat_map(|nodes| &nodes.0) {
            inside.push(format!("node/{node}"));
        }
        for pod in cluster.pods.iter().flatten() {
            inside.push(format!(
                "pod/{}/{}",
                pod.namespace.as_deref().unwrap_or("default"),
                pod.name.as_deref().unwrap_or("")
            ));
        }
        for service in cluster.services.iter().flatten() {
            let namespace = service.namespace.as_deref().unwrap_or("default");
            inside.push(format!("service/{namespace}/{}", service.name.as_deref().unwrap_or("")));
        }
        for object in inside {
            out.insert(format!("{name}/{object}"));
            out.insert(object);
        }
    }
    out
}

impl Meaning<'_> {
    /// Notes an error for a WHO that names an object the design does not have.
    pub(super) fn check_who(&mut self, path: &str, text: &str) {
        let name = match text.rsplit_once(':') {
            Some((name, port))
                if port.bytes().all(|byte| byte.is_ascii_digit()) && (!name.contains(':') || name.ends_with(']')) =>
            {
                name
            }
            _ => text,
        };
        let is_address = causeway_addr::parse_address(name.trim_start_matches('[').trim_end_matches(']')).is_ok();
        let is_dns_name = !name.contains('/') && name.contains('.');
        if is_address || is_dns_name || self.known.who.contains(name) {
            return;
        }
        let help = match nearest(name, self.known.who.iter().map(String::as_str)) {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None => "write `pod/NS/NAME`, `service/NS/NAME`, `node/NAME`, `host/NAME`, `pool/CLUSTER/NAME`, `apiServer/CLUSTER`, `internet`, an address or a DNS name".to_owned(),
        };
        self.error(path, format!("`{name}` is nobody this design knows"), help);
    }
}
