//! Security groups, settings, workloads and names.

use crate::cases::tables;
use causeway_model::codes::{self, Code, Subject};

/// Of every case here; what the cases are about is counted, the rest has tests of its own.
fn counts(code: Code) -> bool {
    const ALSO: &[Code] = &[
        codes::MAX_PODS_LOW,
        codes::MAX_SURGE_NOT_SET,
        codes::NODE_PUBLIC_IP,
        codes::FIREWALL_WITHOUT_POLICY,
        codes::API_SERVER_OPEN_TO_INTERNET,
        codes::NAMESPACE_WITHOUT_POLICY,
    ];
    matches!(code.subject(), Subject::SecurityGroups | Subject::Names | Subject::Workloads) || ALSO.contains(&code)
}

tables! { groups settings workloads names }
