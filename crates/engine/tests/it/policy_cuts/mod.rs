//! Policies that cut what has to work, or that meet other addresses than they name.

use crate::cases::tables;
use causeway_model::codes::{self, Code};

fn counts(code: Code) -> bool {
    const THESE: &[Code] = &[
        codes::POLICY_CUTS_INGRESS_CONTROLLER,
        codes::POLICY_CUTS_OBSERVABILITY,
        codes::SELECTOR_POLICY_DEFEATED_BY_SNAT,
    ];
    THESE.contains(&code)
}

tables! { doors watchers translated balanced }
