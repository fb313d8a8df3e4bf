//! Tables of cases: what the checks of addresses say.

use crate::cases::tables;
use causeway_model::codes::{Code, Subject};

fn counts(code: Code) -> bool {
    code.subject() == Subject::Addresses
}

tables! { reserved services pods networks subnets reuse held missions }
