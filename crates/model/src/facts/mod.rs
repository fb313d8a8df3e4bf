//! What the platform promises, refuses and limits, as typed and dated tables.
//!
//! Every value is a [`Fact`]: it has the name it is cited by, the date of the newest document that states it, the documents, how sure
//! it is, and what to know before relying on it. Where documents disagree the value follows the rule the product settled on and the note
//! names the disagreement. Checks put [`Fact::as_of`] into the finding they raise. Numbers that age (limits of the platform, quotas)
//! are read through [`Limits`], which a design may override.
//!
//! | file | what |
//! |---|---|
//! | `address` | reserved and forbidden ranges, default ranges, service CIDR sizes, reserved addresses and sizes of subnets, what can't be changed later |
//! | `limits` | dated limits and quotas; `overrides`: the same as plain data ([`Limits`]), with names a design may set |
//! | `mode` | [`ModeFacts`]: a row per mode of everything that differs by mode; `mode_table`, `mode_table_flat`: the rows |
//! | `pod_subnet` | rules of one mode's pod range: batches, blocks, largest pod subnets, overlay blocks |
//! | `cilium` | the Cilium data plane: versions, eBPF host routing, what policies can't select, ACNS |
//! | `upgrade` | surge, drain, soak, blue/green |
//! | `outbound` | outbound types: where they may be used, what they need and create, which may become which |
//! | `snat` | ports and idle timeouts of load balancer, NAT gateway and firewall; static egress gateway; ports on nodes |
//! | `routing` | system routes, how a route is chosen, user-defined routes, private endpoint routes |
//! | `control_plane` | API server: private link, VNet integration, authorized ranges, zones, tunnel |
//! | `special` | platform addresses (DNS, metadata), cluster DNS, LocalDNS |
//! | `private_zones` | private DNS zones by service |
//! | `ingress` | load balancers of Services, probes, gateways and the subnets they need |
//! | `policy` | NetworkPolicy engines: where each works, limits, differences |
//! | `masquerade` | ip-masq-agent-v2 and what the platform ships for each mode |
//! | `permissions` | what a cluster's identity must be allowed |
//! | `lifecycle` | retirements, migrations between modes and data planes, minimum versions |
//! | `egress_rules` | names and ports clusters must reach |
//! | `nsg` | default and required security rules |
//! | `errors` | the platform's error codes |
//! | `automatic` | AKS Automatic, node auto-provisioning, virtual nodes, Windows |
//! | `gaps` | where documents disagree and the rule followed; what nobody has established |

use jiff::civil::Date;
use std::fmt;

/// How sure a fact is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Evidence {
    /// Stated in a current page of the vendor.
    Doc,
    /// Stated in an older copy of a vendor page; may have changed, so it can be overridden.
    DocOld,
    /// Read from the vendor's source or manifests; not promised.
    Code,
    /// Reported behaviour.
    Issue,
    /// Only in an early description of the product's subject.
    Brief,
    /// Computed or inferred from the other facts.
    Derived,
}

impl Evidence {
    /// A few words for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Evidence::Doc => "documented",
            Evidence::DocOld => "documented in an older copy",
            Evidence::Code => "read from source",
            Evidence::Issue => "reported",
            Evidence::Brief => "early description",
            Evidence::Derived => "derived",
        }
    }
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Something the platform does, allows or limits, with where that is known from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fact<T: 'static> {
    /// The name it is cited by; dotted, stable.
    pub id: &'static str,
    /// What holds.
    pub value: T,
    /// Date of the newest document that states it.
    pub as_of: Date,
    /// Document names.
    pub source: &'static str,
    /// How sure it is.
    pub evidence: Evidence,
    /// What to know before relying on it; disagreements by their name. Empty where there is nothing to say.
    pub note: &'static str,
}

impl<T> Fact<T> {
    /// Everything but the value.
    pub const fn about(&self) -> About {
        About { id: self.id, as_of: self.as_of, source: self.source, evidence: self.evidence, note: self.note }
    }

    /// The line of evidence a finding carries: documents, date, how sure.
    pub fn cite(&self) -> String {
        self.about().to_string()
    }
}

/// Where a fact is known from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct About {
    /// The name it is cited by.
    pub id: &'static str,
    /// Date of the newest document that states it.
    pub as_of: Date,
    /// Document names.
    pub source: &'static str,
    /// How sure it is.
    pub evidence: Evidence,
    /// What to know before relying on it.
    pub note: &'static str,
}

impl fmt::Display for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}, {}, {})", self.id, self.source, self.as_of, self.evidence)
    }
}

/// Whether the platform supports a combination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Support {
    /// It does.
    Yes,
    /// Only under the condition of the fact's note.
    Conditional,
    /// It does not.
    No,
    /// Nobody has established it.
    Unknown,
}

impl Support {
    /// Known to be refused.
    pub const fn is_refused(self) -> bool {
        matches!(self, Support::No)
    }

    /// Known to work, perhaps under a condition.
    pub const fn is_possible(self) -> bool {
        matches!(self, Support::Yes | Support::Conditional)
    }
}

/// A number users may set, within bounds. The unit is in the fact's documentation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// When not set.
    pub default: u64,
    /// The least the platform takes.
    pub min: u64,
    /// The most the platform takes.
    pub max: u64,
}

impl Setting {
    /// Whether the platform takes the number.
    pub const fn allows(self, value: u64) -> bool {
        self.min <= value && value <= self.max
    }
}

/// `value, "id" Evidence year-month-day "documents" "note"` as a [`Fact`].
macro_rules! fact {
    ($value:expr, $id:literal $evidence:ident $year:literal - $month:literal - $day:literal $source:literal $($note:literal)?) => {
        $crate::facts::Fact {
            id: $id,
            value: $value,
            as_of: ::jiff::civil::date($year, $month, $day),
            source: $source,
            evidence: $crate::facts::Evidence::$evidence,
            note: concat!($($note)?),
        }
    };
}

/// A table of facts: `NAME: Type = value, "id" Evidence year-month-day "documents" "note";`. Also makes `INDEX`,
/// which lists them.
macro_rules! facts {
    ($($(#[$meta:meta])* $name:ident: $type:ty = $value:expr, $id:literal $evidence:ident $year:literal - $month:literal - $day:literal $source:literal $($note:literal)?;)*) => {
        $(
            $(#[$meta])*
            pub const $name: $crate::facts::Fact<$type> = fact!($value, $id $evidence $year - $month - $day $source $($note)?);
        )*

        /// Every fact of this table, in its order.
        pub const INDEX: &[$crate::facts::About] = &[$($name.about(),)*];
    };
}

pub mod address;
pub mod automatic;
pub mod cilium;
pub mod control_plane;
pub mod egress_rules;
pub mod errors;
pub mod gaps;
pub mod ingress;
pub mod lifecycle;
pub mod limits;
pub mod masquerade;
pub mod mode;
mod mode_table;
mod mode_table_flat;
pub mod nsg;
pub mod outbound;
pub mod overrides;
pub mod permissions;
pub mod pod_subnet;
pub mod policy;
pub mod private_zones;
pub mod routing;
pub mod snat;
pub mod special;
pub mod upgrade;

pub use mode::ModeFacts;
pub use overrides::Limits;

/// The tables and their facts, in the order of the table above.
pub const TABLES: &[(&str, &[About])] = &[
    ("address", address::INDEX),
    ("limits", limits::INDEX),
    ("pod_subnet", pod_subnet::INDEX),
    ("cilium", cilium::INDEX),
    ("upgrade", upgrade::INDEX),
    ("outbound", outbound::INDEX),
    ("snat", snat::INDEX),
    ("routing", routing::INDEX),
    ("control_plane", control_plane::INDEX),
    ("special", special::INDEX),
    ("private_zones", private_zones::INDEX),
    ("ingress", ingress::INDEX),
    ("policy", policy::INDEX),
    ("masquerade", masquerade::INDEX),
    ("permissions", permissions::INDEX),
    ("lifecycle", lifecycle::INDEX),
    ("egress_rules", egress_rules::INDEX),
    ("nsg", nsg::INDEX),
    ("errors", errors::INDEX),
    ("automatic", automatic::INDEX),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_fact_can_be_cited() {
        let mut seen = BTreeSet::new();
        for (table, index) in TABLES {
            assert!(!index.is_empty(), "{table}");
            for about in *index {
                assert!(seen.insert(about.id), "`{}` is stated twice", about.id);
                check(about);
            }
        }
        for mode in crate::design::Mode::WORDS.iter().map(|(_, mode)| *mode) {
            for about in ModeFacts::of(mode).index() {
                check(&about);
            }
        }
    }

    fn check(about: &About) {
        assert!(!about.source.is_empty() && about.id.contains('.'), "{}", about.id);
        assert!(
            about.as_of >= jiff::civil::date(2019, 1, 1) && about.as_of <= jiff::civil::date(2026, 11, 20),
            "{}",
            about.id
        );
    }

    #[test]
    fn a_fact_cites_itself() {
        assert_eq!(
            address::SUBNET_RESERVED.cite(),
            format!(
                "addr.subnet.reserved_by_azure ({}, {}, documented)",
                address::SUBNET_RESERVED.source,
                address::SUBNET_RESERVED.as_of
            )
        );
    }
}
