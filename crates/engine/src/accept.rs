//! Findings people live with: set apart with their reasons; an acceptance that matches nothing is itself a finding.

use causeway_model::codes;
use causeway_model::design::{Acceptance, Design};
use causeway_model::finding::Finding;
use std::cmp::Reverse;
use std::collections::BTreeSet;

/// Sorts findings (worst first, then by place, code and message), drops exact repetitions and sets accepted ones apart.
pub fn split(design: &Design, findings: Vec<Finding>) -> (Vec<Finding>, Vec<(Finding, String)>) {
    let mut open = Vec::new();
    let mut accepted = Vec::new();
    let mut used = BTreeSet::new();
    for finding in findings {
        match design.accept.iter().position(|acceptance| matches(acceptance, &finding)) {
            Some(at) => {
                used.insert(at);
                let because = design.accept.get(at).map_or(String::new(), |acceptance| acceptance.because.clone());
                accepted.push((finding, because));
            }
            None => open.push(finding),
        }
    }
    for (at, acceptance) in design.accept.iter().enumerate().filter(|(at, _)| !used.contains(at)) {
        let on = acceptance.on.as_deref().map_or(String::new(), |on| format!(" on `{on}`"));
        open.push(
            Finding::new(
                codes::ACCEPTANCE_MATCHES_NOTHING,
                format!("accept.{at}"),
                format!("no finding `{}`{on} exists to accept", acceptance.finding),
            )
            .help("remove the acceptance, or correct its code or object"),
        );
    }
    open.sort_by(|one, other| order(one).cmp(&order(other)));
    open.dedup();
    accepted.sort_by(|(one, _), (other, _)| order(one).cmp(&order(other)));
    accepted.dedup();
    (open, accepted)
}

/// Why people live with a finding, if they do.
pub fn reason<'a>(design: &'a Design, finding: &Finding) -> Option<&'a str> {
    design.accept.iter().find(|acceptance| matches(acceptance, finding)).map(|acceptance| acceptance.because.as_str())
}

/// An acceptance covers its object and everything below it.
fn matches(acceptance: &Acceptance, finding: &Finding) -> bool {
    acceptance.finding == finding.code.as_str()
        && acceptance.on.as_deref().is_none_or(|on| {
            finding.object.strip_prefix(on).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
}

fn order(finding: &Finding) -> impl Ord + '_ {
    (Reverse(finding.severity), &finding.object, finding.code, &finding.message, &finding.on)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_acceptance_covers_what_lies_below_its_object_and_nothing_beside_it() {
        let acceptance = |on: Option<&str>| Acceptance {
            finding: "subnet-shared".into(),
            on: on.map(str::to_owned),
            because: "known".into(),
        };
        let finding = Finding::new(codes::SUBNET_SHARED, "networks.spoke.subnets.nodes", "shared");
        assert!(matches(&acceptance(None), &finding));
        assert!(matches(&acceptance(Some("networks.spoke")), &finding));
        assert!(matches(&acceptance(Some("networks.spoke.subnets.nodes")), &finding));
        assert!(!matches(&acceptance(Some("networks.spoke.subnets.node")), &finding));
        let other = Finding::new(codes::SUBNET_FULL, "networks.spoke.subnets.nodes", "full");
        assert!(!matches(&acceptance(None), &other));
    }
}
