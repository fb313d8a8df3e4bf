//! Names: which address comes back for what, judged from zones, their links and the servers a network asks.
//!
//! Only what the design decides is said. A server whose forwarding is not described, and a zone nobody mentions, leave the answer
//! open; that is for the checklist.

pub(crate) mod api_server;
mod endpoints;
mod resolver;
mod upstreams;
mod zones;

use crate::egress::ground::Ground;
use causeway_model::finding::Finding;

/// All checks of names.
pub(crate) fn check(ground: &Ground, out: &mut Vec<Finding>) {
    zones::check(ground, out);
    endpoints::check(ground, out);
    api_server::check(ground.design, out);
    upstreams::check(ground.design, out);
}
