//! What there is to judge at all: an input without a cluster must not look like a cluster without faults.

use causeway_model::codes;
use causeway_model::design::Design;
use causeway_model::finding::{Finding, Severity};

/// Says which questions nobody asked, because their objects are missing.
pub(crate) fn check(design: &Design) -> Option<Finding> {
    let sites_and_vnets = design.networks.len();
    let finding = |message: String, severity| {
        Finding::new(codes::NOTHING_TO_CHECK, "clusters", message).severity(severity).help(
            "give the cluster too: `az aks show -o json`, a plan that creates it, or `clusters` in the design file",
        )
    };
    if !design.clusters.is_empty() {
        return None;
    }
    if sites_and_vnets == 0 {
        let message = "there is neither a network nor a cluster here: nothing was judged".to_owned();
        return Some(finding(message, Severity::Warning));
    }
    let networks = if sites_and_vnets == 1 { "1 network".to_owned() } else { format!("{sites_and_vnets} networks") };
    let message =
        format!("there is no cluster here, only {networks}: room, masquerading, egress and life cycle were not judged");
    Some(finding(message, Severity::Info))
}

#[cfg(test)]
mod tests {
    use super::*;
    use causeway_model::design::Design;

    fn read(text: &str) -> Design {
        let input = causeway_read::Input { name: "design.yaml".into(), bytes: text.into(), kind: None, found: false };
        causeway_read::load(vec![input], &causeway_read::files::MemoryFiles::default()).outcome.unwrap().design
    }

    #[test]
    fn an_empty_input_is_not_a_clean_one() {
        let severity = |text: &str| check(&read(text)).map(|finding| finding.severity);
        assert_eq!(severity("causeway: 1"), Some(Severity::Warning));
        assert_eq!(severity("{causeway: 1, networks: {a: {prefixes: [10.0.0.0/16]}}}"), Some(Severity::Info));
        assert_eq!(severity("{causeway: 1, clusters: {a: {mode: overlay}}}"), None);
    }
}
