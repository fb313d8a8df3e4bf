//! The design as a whole, and what people say about it.

use super::*;
use crate::document::leaf::*;
use crate::document::macros::object;
use crate::document::schema::Definitions;
use crate::document::{Context, Document};
use crate::tree;
use causeway_model::design::value::*;
use jiff::civil::Date;
use serde_json::{Value, json};

object! {
    /// A network design.
    DesignDocument {
        /// Version of the language: 1.
        "causeway" causeway: u32,
        /// Name of the design.
        "name" name: String,
        /// Virtual networks and on-premises sites.
        "networks" networks: Named<Network>,
        /// Peerings of virtual networks.
        "peerings" peerings: Vec<Peering>,
        /// Route tables.
        "routeTables" route_tables: Named<RouteTable>,
        /// Network security groups.
        "networkSecurityGroups" network_security_groups: Named<SecurityGroup>,
        /// NAT gateways.
        "natGateways" nat_gateways: Named<NatGateway>,
        /// Firewalls and appliances.
        "firewalls" firewalls: Named<Firewall>,
        /// Machines outside the clusters.
        "hosts" hosts: Named<Host>,
        /// Private endpoints.
        "privateEndpoints" private_endpoints: Named<PrivateEndpoint>,
        /// Private DNS zones by domain.
        "privateDnsZones" private_dns_zones: Named<PrivateDnsZone>,
        /// Public names.
        "publicDns" public_dns: Named<PublicName>,
        /// Clusters.
        "clusters" clusters: Named<Cluster>,
        /// Growth to plan for.
        "growth" growth: Growth,
        /// Utilisation above which a range is reported.
        "alarmAt" alarm_at: Share,
        /// What applications open.
        "loads" loads: Vec<Load>,
        /// Answers only people can give, by checklist key.
        "records" records: Named<Record>,
        /// Platform limits that differ from the dated facts.
        "limits" limits: Named<u64>,
        /// Findings people live with.
        "accept" accept: Vec<Acceptance>,
        /// Tests of the network.
        "expect" expect: Vec<Expectation>,
        /// What reading the exports found that this design was imported from: `import` writes it, and checks repeat it.
        "importFindings" import_findings: Vec<ImportFinding>,
        /// The design before the change, as plans and what-if results carry it.
        "before" before: Raw,
    }

    /// Growth to plan for.
    Growth {
        /// Nodes at the end of the period over the maximum now.
        "nodes" nodes: Factor,
        /// The period.
        "months" months: u32,
    }

    /// What an application opens.
    Load {
        /// Who.
        "from" from: String,
        /// Where, with port.
        "to" to: String,
        /// New connections per second.
        "perSecond" per_second: u64,
        /// Connections open at a time.
        "concurrent" concurrent: u64,
        /// How long one lasts.
        "seconds" seconds: u64,
        /// Interval of keep-alives.
        "keepAliveSeconds" keep_alive_seconds: u64,
    }

    /// An answer only people can give.
    Record {
        /// When.
        "on" on: Date,
        /// Who says so.
        "by" by: String,
        /// `false` = the answer is no; default true.
        "answer" answer: bool,
        /// In words, or where it is written.
        "note" note: String,
    }

    /// A finding people live with.
    Acceptance {
        /// The code.
        "finding" finding: String,
        /// The object, and everything below it.
        "on" on: String,
        /// Why.
        "because" because: String,
    }

    /// A finding made while exports were read.
    ImportFinding {
        /// Its code.
        "finding" finding: String,
        /// `error`, `warning` or `info`.
        "severity" severity: Word,
        /// The object it is about, as a dotted path.
        "on" on: String,
        /// What is the matter.
        "message" message: String,
        /// What to do about it.
        "help" help: String,
        /// The values concerned.
        "values" values: Many<String>,
        /// What leads to it.
        "evidence" evidence: Many<String>,
        /// The date of the platform fact used.
        "since" since: Date,
    }

    /// A test of the network.
    Expectation {
        /// Its name.
        "name" name: String,
        /// Who.
        "from" from: String,
        /// Where, with port.
        "to" to: String,
        /// `tcp` (default), `udp`, `icmp` or `sctp`.
        "proto" proto: Word,
        /// One verdict, or a list of those that are fine.
        "verdict" verdict: Many<String>,
        /// An address, `pod` or `node`.
        "sourceSeen" source_seen: Many<String>,
        /// The source when it leaves the node.
        "sourceLeavingNode" source_leaving_node: Many<String>,
        /// Who rewrote the source on the node.
        "snatBy" snat_by: Many<String>,
        /// Where the destination was rewritten to.
        "dnatTo" dnat_to: Many<String>,
        /// The subnet whose routes, filters and NAT gateway applied.
        "governedBySubnet" governed_by_subnet: Many<String>,
        /// Who decided.
        "decidedBy" decided_by: OrWord<DecidedBy>,
        /// `resolvesPrivate`, `resolvesPublic`, `nxdomain`; `noAnswer` where queries go in circles.
        "resolves" resolves: Many<String>,
    }

    /// Who decided a packet's fate.
    DecidedBy {
        /// Kind of owner.
        "owner" owner: Many<String>,
        /// The object.
        "object" object: Many<String>,
        /// The rule.
        "rule" rule: Many<String>,
    }
}

impl Shorthand for DecidedBy {
    fn from_scalar(node: &tree::Node, cx: &mut Context) -> Option<Self> {
        Some(DecidedBy { owner: Some(Many(vec![String::decode(node, cx)?])), ..DecidedBy::default() })
    }

    fn scalar_schema(_: &mut Definitions) -> Value {
        json!({ "type": "string" })
    }
}
