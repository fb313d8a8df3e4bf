//! Routes and egress: how packets leave, whether answers come back the same way, who is seen.

mod asymmetry;
mod authorized;
mod bypass;
mod default_route;
mod drops;
pub(crate) mod ground;
mod limits;
mod outbound;
mod overlay;
mod peerings;
mod pools;
pub(crate) mod private_api;
pub(crate) mod routes;
mod services;
mod shadowed;
mod tables;

use crate::Context;
use causeway_model::finding::Finding;
use ground::Ground;

/// All checks of routes and egress.
pub(crate) fn check(cx: &Context, ground: &Ground, out: &mut Vec<Finding>) {
    for (name, cluster) in &cx.design.clusters {
        let path = format!("clusters.{name}");
        outbound::check(ground, &path, cluster, out);
        default_route::check(ground, &path, cluster, out);
        drops::check(ground, &path, cluster, out);
        tables::check(ground, &path, cluster, out);
        pools::check(ground, &path, cluster, out);
        authorized::check(cx, ground, &path, cluster, out);
        services::check(ground, &path, cluster, out);
        asymmetry::check(ground, &path, cluster, out);
        private_api::check(ground, &path, cluster, out);
    }
    overlay::check(ground, out);
    peerings::check(cx.design, out);
    tables::sharing(ground, out);
    shadowed::check(ground, out);
    limits::check(cx, ground, out);
    bypass::check(ground, out);
}
