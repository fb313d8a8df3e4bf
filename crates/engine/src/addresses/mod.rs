//! Ranges and addresses: reserved and overlapping ranges, per routing domain.

mod certificate;
pub(crate) mod fabric;
pub(crate) mod ground;
mod held;
mod held_in_cluster;
mod machines;
mod meeting;
mod networks;
mod proposal;
mod reserved;
mod reuse;
mod routed;
mod services;
mod shadow;
mod sizes;
mod subnets;
mod twice;

pub use certificate::{DomainCertificate, certificate};

use crate::Context;
use causeway_model::finding::Finding;
use ground::Ground;

/// All checks of ranges and single addresses.
pub fn check(cx: &Context, out: &mut Vec<Finding>) {
    let ground = Ground::new(cx.design);
    reserved::check(&ground, out);
    networks::check(&ground, out);
    subnets::check(&ground, out);
    sizes::check(&ground, out);
    shadow::check(&ground, out);
    services::check(&ground, out);
    routed::check(&ground, out);
    reuse::check(&ground, out);
    held::check(&ground, out);
    twice::check(&ground, out);
}
