//! What policies do that nobody meant.

use crate::cases::tables;
use causeway_model::codes::{self, Code};

fn counts(code: Code) -> bool {
    const THESE: &[Code] = &[
        codes::POLICY_INVALID,
        codes::EGRESS_POLICY_WITHOUT_DNS,
        codes::IPBLOCK_COVERS_POD_OR_NODE_RANGE,
        codes::NODE_EGRESS_NEEDS_ENGINE_POLICY,
        codes::POLICY_SELECTS_NOTHING,
        codes::POLICY_FANOUT_EXCEEDS_MAP,
        codes::POLICY_RULE_SHADOWED,
    ];
    THESE.contains(&code)
}

tables! { names blocks rules }
