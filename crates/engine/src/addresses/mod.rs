//! Ranges and addresses: reserved and overlapping ranges, per routing domain.

use crate::Context;
use causeway_model::finding::Finding;

/// All checks of ranges and single addresses.
pub fn check(_cx: &Context, _out: &mut Vec<Finding>) {}
