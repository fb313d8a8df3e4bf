//! The production checklist: every line answered yes, no or unknown, with the reason.
//!
//! Three things answer a line: findings and objects of the design, what a person put on record, and for some lines both. "Yes" needs
//! proof from what somebody stated. What rests on a default that was filled in, or on a part of the network the design leaves open,
//! is unknown. A record never overrules the design, and accepting a finding does not turn its line into a yes.

mod desk;
mod egress;
mod ingress;
mod judgement;
mod mode;
mod operations;
mod ranges;
mod room;
mod ways;

use crate::Context;
use causeway_model::checklist::Requirement;
use causeway_model::finding::Finding;
use desk::Desk;
use judgement::Judgement;

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The stable key a record answers it by.
    pub key: &'static str,
    /// The part of the checklist it stands in.
    pub section: &'static str,
    /// The line in words.
    pub line: &'static str,
    /// The answer.
    pub answer: Answer,
    /// Why.
    pub because: String,
    /// What it would need to know; empty unless the answer is unknown.
    pub needs: String,
}

/// An answer of the checklist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Holds.
    Yes,
    /// Does not hold.
    No,
    /// Can't be told.
    Unknown,
}

impl Answer {
    /// The word that is printed.
    pub fn as_str(self) -> &'static str {
        match self {
            Answer::Yes => "yes",
            Answer::No => "no",
            Answer::Unknown => "unknown",
        }
    }
}

/// Answers every line. `findings` are all there are, accepted ones too.
pub fn answer(cx: &Context, findings: &[Finding]) -> Vec<Line> {
    let desk = Desk::new(cx, findings);
    Requirement::ALL
        .iter()
        .map(|requirement| {
            let (answer, because, needs) = judge(&desk, *requirement).answer();
            Line {
                key: requirement.key(),
                section: requirement.section(),
                line: requirement.line(),
                answer,
                because,
                needs,
            }
        })
        .collect()
}

fn judge(desk: &Desk, requirement: Requirement) -> Judgement {
    use Requirement as R;
    let key = requirement.key();
    match requirement {
        R::RangesDisjoint => desk.by_design(key, ranges::disjoint(desk)),
        R::NodeSubnetHoldsMaximumAndSurge => desk.by_design(key, room::node_subnets(desk)),
        R::PodRangeHoldsMaximumAndGrowth => desk.by_design(key, room::pod_ranges(desk)),
        R::ServiceRangeCentrallyAllocated => desk.by_both(key, ranges::services(desk)),
        R::DnsAddressValid => desk.by_design(key, ranges::dns_address(desk)),
        R::PrivateEndpointsApartFromNodes => desk.by_design(key, ranges::private_endpoints(desk)),
        R::ModeDocumented => desk.by_both(key, mode::documented(desk)),
        R::PolicyEnforcementTested => desk.by_both(key, mode::enforcement(desk)),
        R::WindowsDifferencesKnown => desk.by_record_unless_settled(key, mode::windows(desk)),
        R::OutboundExplicit => desk.by_design(key, egress::explicit(desk)),
        R::SnatWatched => desk.by_both(key, egress::ports(desk)),
        R::FirewallRouteTestedFromPods => desk.by_record_unless_settled(key, egress::firewall_route(desk)),
        R::PlatformServicesResolvePrivately => desk.by_record_unless_settled(key, egress::private_names(desk)),
        R::AllowListWritten => desk.by_record_unless_settled(key, egress::allow_list(desk)),
        R::IngressSubnetOwned => desk.by_both(key, ingress::subnets(desk)),
        R::IngressExposureIntended => desk.by_record_unless_settled(key, ingress::exposure(desk)),
        R::SurgeRehearsed => desk.by_both(key, operations::surge(desk)),
        R::UtilisationAlarms => desk.by_both(key, operations::alarm(desk)),
        R::CertificatesAndNamesOwned
        | R::ProbesMatchReadiness
        | R::NetworkProfileAsConfiguration
        | R::DnsRunbook
        | R::RouteAndNsgChangesReviewed => desk.by_both(key, Judgement::default()),
    }
}
