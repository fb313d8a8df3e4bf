//! Ways out and ways back: routes, outbound types, who is seen, who may call.

use crate::cases::tables;
use causeway_model::codes::{self, Code, Subject};

/// What the capacity's own tests are about.
const OF_CAPACITY: &[Code] = &[
    codes::SNAT_BUDGET_EXCEEDED,
    codes::SNAT_BUDGET_HAS_NO_HEADROOM,
    codes::SNAT_PORTS_HALVE,
    codes::FIREWALL_SNAT_EXHAUSTED,
    codes::OUTBOUND_SETTING_OUT_OF_RANGE,
];

/// What the tests of posture are about.
const OF_POSTURE: &[Code] =
    &[codes::NODE_PUBLIC_IP, codes::FIREWALL_WITHOUT_POLICY, codes::API_SERVER_OPEN_TO_INTERNET];

fn counts(code: Code) -> bool {
    let others = OF_CAPACITY.contains(&code) || OF_POSTURE.contains(&code);
    matches!(code.subject(), Subject::Egress | Subject::Ingress) && !others
}

tables! { outbound tables asymmetry endpoints services callers gateways api frontends peerings }
