//! `causeway trace`: what it takes.

use super::{Format, InputArgs, format};
use causeway_addr::Family;
use causeway_report::trace::{Protocol, Verdict, protocol, verdict};
use clap::Args;

pub(crate) const ABOUT: &str = "\
What becomes of a packet and of its answer: which path, who rewrites it, which address the other
side sees, who decides, and everything that would have to change where it does not arrive.

WHO and WHERE are `pod/NAMESPACE/NAME`, `service/NAMESPACE/NAME` (WHERE only), `node/NAME`,
`host/NAME`, `pool/CLUSTER/NAME` (any pod of it), `apiServer/CLUSTER`, `privateEndpoint/NAME`,
`internet`, an address, or a DNS name, which is resolved as the sender would. With several clusters
`CLUSTER/` goes in front.";

pub(crate) const EXAMPLES: &str = "\
Examples:
  causeway trace examples/private-pods --from pool/prod/user --to host/erp:443
  causeway trace examples/private-pods --from pool/prod/user --to 10.10.4.20:1433 --format json
  causeway trace examples/private-pods --from host/erp --to pool/prod/user:8080 --expect dropped
  causeway trace examples/private-pods --from pool/prod/user --to internet:443 --format svg=path.svg
  causeway trace examples/private-pods --matrix
  causeway trace design.yaml --from pod/shop/web --to host/erp:443 --observed node/n1=rules.txt
  causeway trace design.yaml --from node/n1 --to '[2001:db8::10]:443' --family ipv6

Exit codes:
  0  delivered, or the verdict given with `--expect`; with `--matrix` every flow is
  1  any other verdict; what is uncertain is never 0
  2  wrong usage, or an input that can't be read or understood";

#[derive(Debug, Args)]
pub(crate) struct TraceArgs {
    #[command(flatten)]
    pub(crate) input: InputArgs,

    /// Who sends.
    #[arg(long, value_name = "WHO", required_unless_present = "matrix")]
    pub(crate) from: Option<String>,

    /// Where to; the port may be left out where the receiver is known to listen on one only.
    #[arg(long, value_name = "WHERE[:PORT]", required_unless_present = "matrix")]
    pub(crate) to: Option<String>,

    /// The protocol: tcp, udp, icmp or sctp [default: tcp, or that of the only port the receiver listens on].
    #[arg(long, value_name = "PROTOCOL", value_parser = protocol)]
    pub(crate) proto: Option<Protocol>,

    /// The address family, ipv4 or ipv6 [default: the first that both ends have, ipv4 before ipv6].
    #[arg(long, value_name = "FAMILY", value_parser = super::policy::family)]
    pub(crate) family: Option<Family>,

    /// Take an address that nobody is known to hold for one that nobody holds.
    #[arg(long)]
    pub(crate) strict: bool,

    /// The verdict that is wanted; repeat for several that are fine [default: delivered].
    #[arg(long, value_name = "VERDICT", value_parser = verdict, value_delimiter = ',')]
    pub(crate) expect: Vec<Verdict>,

    /// What a node printed (`iptables-save`), in place of what the model assumes of it: a FILE for every node, or node/NAME=FILE; repeat for
    /// several.
    #[arg(long, value_name = "[node/NAME=]FILE")]
    pub(crate) observed: Vec<String>,

    /// Every pool against every kind of peer: what is seen of it, what becomes of it, and who owns it.
    #[arg(long, conflicts_with_all = ["from", "to", "proto", "family", "strict"])]
    pub(crate) matrix: bool,

    /// What to print: human, json, mermaid, svg or sarif (with `--matrix` human or json), to standard output or a FILE; repeat for several
    /// [default: human].
    #[arg(long, value_name = "KIND[=FILE]", value_parser = format)]
    pub(crate) format: Vec<Format>,
}

impl TraceArgs {
    /// The verdicts that are fine.
    pub(crate) fn wanted(&self) -> &[Verdict] {
        if self.expect.is_empty() { &[Verdict::Delivered] } else { &self.expect }
    }
}
