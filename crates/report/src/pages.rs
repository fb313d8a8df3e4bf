//! The page of each finding code, as it stands in `docs/findings`. A test of the `causeway` binary holds pages and codes together.

use crate::questions;
use causeway_model::codes::{self, Code, Subject};
use causeway_model::facts::gaps::{self, Unknown};
use causeway_model::suggest;

macro_rules! pages {
    ($($code:literal,)*) => {
        /// Sorted by code.
        const PAGES: &[(&str, &str)] = &[
            $(($code, include_str!(concat!("../../../docs/findings/", $code, ".md"))),)*
        ];
    };
}

pages! {
    "acceptance-matches-nothing",
    "address-outside-range",
    "address-used-twice",
    "agent-manifest-misconfigured",
    "api-server-open-to-internet",
    "api-server-subnet-unfit",
    "asymmetric-return-through-stateful-hop",
    "authorized-ranges-invalid",
    "authorized-ranges-miss-egress",
    "cidr-host-bits-set",
    "client-address-lost",
    "client-path-missing",
    "combination-unsupported",
    "dns-service-ip-is-first-address",
    "dns-service-ip-outside-service-cidr",
    "dns-upstreams-disagree",
    "egress-policy-without-dns",
    "exempt-destination-cannot-route-back",
    "exports-disagree",
    "feature-retiring",
    "firewall-bypassed-by-private-endpoint-route",
    "firewall-snat-exhausted",
    "firewall-without-policy",
    "frontend-port-conflict",
    "ingress-subnet-unfit",
    "internal-lb-local-unreachable",
    "ipblock-covers-pod-or-node-range",
    "kube-proxy-cluster-cidr-misses-pods",
    "leftover-masq-config",
    "masq-agent-bypassed",
    "masq-agents-compete",
    "masq-config-rejected",
    "masq-config-unknown",
    "masq-entry-redundant",
    "masq-file-ignored",
    "masq-files-contradict",
    "masq-hides-intra-cluster-traffic",
    "masq-item-null",
    "masq-key-repeated",
    "masq-list-empty",
    "masq-prefix-misread",
    "masq-unknown-key",
    "max-pods-low",
    "max-pods-out-of-range",
    "max-surge-not-set",
    "migration-blocked",
    "mode-retiring",
    "namespace-without-policy",
    "nat-exceptions-miss-vnet-prefix",
    "nat-gateway-missing",
    "networks-overlap",
    "next-hop-unreachable",
    "no-room-after-loss",
    "no-room-for-growth",
    "no-room-for-max",
    "no-room-for-surge",
    "node-egress-needs-engine-policy",
    "node-limit-exceeded",
    "node-public-ip",
    "nothing-to-check",
    "nsg-blocks-node-traffic",
    "nsg-blocks-required-egress",
    "nsg-misses-pod-cidr",
    "nsg-open-to-internet",
    "outbound-change-unsupported",
    "outbound-not-explicit",
    "outbound-setting-out-of-range",
    "peering-incomplete",
    "platform-address-needs-snat",
    "pod-cidr-change-not-superset",
    "pod-cidr-exhausted",
    "pod-cidr-overlaps-onprem",
    "pod-cidr-overlaps-peer",
    "pod-cidr-overlaps-service-cidr",
    "pod-cidr-overlaps-vnet",
    "pod-cidr-reused",
    "pod-subnet-control-bypassed-by-masquerade",
    "pod-subnet-stranded-addresses",
    "pod-uses-host-network",
    "policy-cuts-ingress-controller",
    "policy-cuts-observability",
    "policy-engine-retiring",
    "policy-fanout-exceeds-map",
    "policy-invalid",
    "policy-not-enforced",
    "policy-rule-shadowed",
    "policy-selects-nothing",
    "pools-differ-in-egress",
    "private-api-endpoint-return-through-firewall",
    "private-endpoint-name-goes-public",
    "private-endpoint-unreachable",
    "private-zone-not-linked",
    "private-zone-shadows-foreign-name",
    "public-range-used",
    "record-answers-nothing",
    "reserved-range",
    "route-limit-exceeded",
    "route-never-matches",
    "route-table-missing",
    "selector-policy-defeated-by-snat",
    "service-cidr-exhausted",
    "service-cidr-immutable",
    "service-cidr-overlaps-onprem",
    "service-cidr-overlaps-peer",
    "service-cidr-overlaps-vnet",
    "service-cidr-too-large",
    "service-endpoints-instead-of-private-link",
    "service-selects-nothing",
    "service-target-port-missing",
    "single-dns-server",
    "snat-budget-exceeded",
    "snat-budget-has-no-headroom",
    "snat-ports-halve",
    "source-identity-changes",
    "static-block-waste",
    "subnet-delegated",
    "subnet-full",
    "subnet-outside-network",
    "subnet-shared",
    "subnet-size-refused",
    "subnet-without-nsg",
    "subnets-overlap",
    "udr-without-default-route",
    "utilisation-above-alarm",
    "vm-in-pod-subnet",
}

/// The page of a code: Markdown.
pub fn page(code: &str) -> Option<&'static str> {
    let at = PAGES.binary_search_by(|(known, _)| (*known).cmp(code)).ok()?;
    PAGES.get(at).map(|(_, page)| *page)
}

/// The sentence a page begins with.
pub fn sentence(code: &str) -> Option<&'static str> {
    page(code)?.lines().skip(1).map(str::trim).find(|line| !line.is_empty())
}

/// Every code that has a page.
pub fn codes() -> impl Iterator<Item = &'static str> {
    PAGES.iter().map(|(code, _)| *code)
}

/// Every code with its severity and its sentence, by subject.
pub fn list() -> String {
    let mut out = String::new();
    let mut subject = None;
    let longest = codes::ALL.iter().map(|code| code.as_str().len()).max().unwrap_or(0);
    for code in codes::ALL {
        if subject != Some(code.subject()) {
            if subject.is_some() {
                out.push('\n');
            }
            subject = Some(code.subject());
            out.push_str(words(code.subject()));
            out.push('\n');
        }
        let severity = crate::text::severity(code.severity());
        let sentence = sentence(code.as_str()).unwrap_or("");
        out.push_str(&format!("  {:longest$}  {severity:7}  {sentence}\n", code.as_str()));
    }
    out
}

/// The code a mistyped one was meant to be.
pub fn nearest(word: &str) -> Option<&'static str> {
    let word = word.to_ascii_lowercase().replace(['_', ' '], "-");
    suggest::nearest(&word, codes::ALL.iter().map(|code| code.as_str())).or_else(|| containing(&word))
}

/// The only code with the word in it.
fn containing(word: &str) -> Option<&'static str> {
    let mut found = codes::ALL.iter().filter(|code| !word.is_empty() && code.as_str().contains(word));
    let first = found.next()?;
    found.next().is_none().then_some(first.as_str())
}

/// A code's own words for its subject.
pub fn words(subject: Subject) -> &'static str {
    match subject {
        Subject::Addresses => "Addresses",
        Subject::Capacity => "Capacity",
        Subject::Masquerade => "Masquerade",
        Subject::Egress => "Routes and egress",
        Subject::Ingress => "Ingress and API server",
        Subject::SecurityGroups => "Security groups",
        Subject::Names => "Names",
        Subject::Workloads => "Workloads",
        Subject::Policy => "Policy",
        Subject::LifeCycle => "Life cycle",
        Subject::Design => "The design itself",
    }
}

/// The code of that name.
///
/// # Errors
/// What to do instead, for a name nobody knows.
pub fn parse(word: &str) -> Result<Code, String> {
    Code::parse(word).ok_or_else(|| match nearest(word) {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => "`causeway explain` lists all codes".to_owned(),
    })
}

/// What can be explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic {
    /// A finding.
    Code(Code),
    /// Something nobody has established.
    Question(&'static Unknown),
}

/// The topic of that name.
///
/// # Errors
/// What to do instead, for a name nobody knows.
pub fn topic(word: &str) -> Result<Topic, String> {
    match gaps::unknown(word) {
        Some(question) => Ok(Topic::Question(question)),
        None if word.starts_with("unk.") => Err(match questions::nearest(word) {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None => "`causeway explain` lists all open questions".to_owned(),
        }),
        None => parse(word).map(Topic::Code),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_each_page_is_found() {
        assert!(PAGES.is_sorted_by(|one, other| one.0 < other.0));
        for (code, text) in PAGES {
            assert_eq!(page(code), Some(*text));
            assert!(text.starts_with(&format!("# {code}\n")), "{code}");
            assert!(sentence(code).is_some_and(|line| line.ends_with('.')), "{code}");
        }
        assert_eq!(page("no-such-code"), None);
    }

    #[test]
    fn mistyped_codes_find_their_own() {
        assert_eq!(nearest("reserved-rang"), Some("reserved-range"));
        assert_eq!(nearest("Reserved_Range"), Some("reserved-range"));
        assert_eq!(nearest("stranded"), Some("pod-subnet-stranded-addresses"));
        assert_eq!(nearest("banana"), None);
    }
}
