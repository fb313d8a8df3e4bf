//! The production checklist: what an approval asks for, each requirement with the stable key a record answers it by.
//!
//! Keys are for ever, like finding codes. `docs/guide/checklist.md` lists them too (a test in the `causeway` binary holds the two
//! together).

macro_rules! requirements {
    ($($section:literal { $($variant:ident = $key:literal $line:literal,)* })*) => {
        /// One line of the production checklist.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Requirement {
            $($(
                #[doc = concat!("`", $key, "`: ", $line)]
                $variant,
            )*)*
        }

        impl Requirement {
            /// Every line, in the order they are printed.
            pub const ALL: &'static [Requirement] = &[$($(Requirement::$variant,)*)*];

            /// The stable key, as `records` names it: lower case, hyphens.
            pub fn key(self) -> &'static str {
                match self {
                    $($(Requirement::$variant => $key,)*)*
                }
            }

            /// The line in words.
            pub fn line(self) -> &'static str {
                match self {
                    $($(Requirement::$variant => $line,)*)*
                }
            }

            /// The part of the checklist it stands in.
            pub fn section(self) -> &'static str {
                match self {
                    $($(Requirement::$variant => $section,)*)*
                }
            }
        }
    };
}

requirements! {
    "Ranges" {
        RangesDisjoint = "ranges-disjoint" "The VNet does not overlap peers, on-premises, pods or services",
        NodeSubnetHoldsMaximumAndSurge = "node-subnet-holds-maximum-and-surge" "The node subnet holds the maximum plus surge",
        PodRangeHoldsMaximumAndGrowth = "pod-range-holds-maximum-and-growth" "The pod range holds the maximum plus growth",
        ServiceRangeCentrallyAllocated = "service-range-centrally-allocated" "The service range comes from the central list",
        DnsAddressValid = "dns-address-valid" "The DNS address is inside the service range and not the first",
        PrivateEndpointsApartFromNodes = "private-endpoints-apart-from-nodes" "Private endpoints do not compete with nodes",
    }
    "Mode and data plane" {
        ModeDocumented = "mode-documented" "Mode and data plane were chosen from requirements, and written down",
        PolicyEnforcementTested = "policy-enforcement-tested" "The enforcement engine is known and was tested",
        WindowsDifferencesKnown = "windows-differences-known" "The differences of Windows nodes are known",
    }
    "Egress" {
        OutboundExplicit = "outbound-explicit" "The outbound type is explicit",
        SnatWatched = "snat-watched" "SNAT is sized and watched",
        FirewallRouteTestedFromPods = "firewall-route-tested-from-pods" "The route through the firewall was tested from pods",
        PlatformServicesResolvePrivately = "platform-services-resolve-privately" "Platform services resolve to private addresses",
        AllowListWritten = "allow-list-written" "The egress allow-list is written down",
    }
    "Ingress" {
        IngressSubnetOwned = "ingress-subnet-owned" "The ingress subnet and its addresses have an owner",
        IngressExposureIntended = "ingress-exposure-intended" "Every ingress is internal or public on purpose",
        CertificatesAndNamesOwned = "certificates-and-names-owned" "Certificates and names have an owner",
        ProbesMatchReadiness = "probes-match-readiness" "Load balancer probes match readiness",
    }
    "Operations" {
        SurgeRehearsed = "surge-rehearsed" "An upgrade with surge was rehearsed",
        NetworkProfileAsConfiguration = "network-profile-as-configuration" "The network profile is kept as configuration",
        UtilisationAlarms = "utilisation-alarms" "Utilisation has an alarm",
        DnsRunbook = "dns-runbook" "There is a runbook for DNS",
        RouteAndNsgChangesReviewed = "route-and-nsg-changes-reviewed" "Changes to routes and security groups are reviewed",
    }
}

#[cfg(test)]
mod tests {
    use super::Requirement;
    use std::collections::BTreeSet;

    #[test]
    fn keys_are_unique_and_can_be_typed() {
        let keys: BTreeSet<_> = Requirement::ALL.iter().map(|line| line.key()).collect();
        assert_eq!(keys.len(), Requirement::ALL.len());
        for line in Requirement::ALL {
            assert!(line.key().bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{}", line.key());
            assert!(!line.line().ends_with('.') && !line.section().is_empty(), "{}", line.key());
        }
    }
}
