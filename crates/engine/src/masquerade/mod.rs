//! Node masquerade: what the files say, what the nodes do, and who is left without an answer.

mod changes;
mod controls;
mod inside;
mod leftover;
pub mod lists;
mod manifest;
mod outside;
mod platform;
mod view;

pub use causeway_trace::translation::{Effective, Exemption, Origin, Translation, effective};
pub use changes::{Seen, SourceChange, source_changes};

use crate::Context;
use causeway_model::codes;
use causeway_model::design::Design;
use causeway_model::finding::Finding;
use view::Ground;

/// All checks of node masquerade.
pub fn check(cx: &Context, out: &mut Vec<Finding>) {
    let ground = Ground::new(cx.design);
    for view in &ground.views {
        files(view, out);
        inside::check(&ground, view, out);
        outside::check(&ground, view, out);
        leftover::check(&ground, view, out);
        controls::check(view, out);
        platform::check(view, out);
        manifest::check(view, out);
    }
}

/// What one design does to source addresses that the other does not, as findings.
pub fn changed(before: &Design, after: &Design) -> Vec<Finding> {
    changes::findings(before, after)
}

/// What reading the files found. That the list is empty is no finding where the platform's own file fills it.
fn files(view: &view::View, out: &mut Vec<Finding>) {
    let Some(masquerade) = &view.cluster.masquerade else { return };
    let filled =
        view.translation().is_some_and(|translation| translation.shipped && !translation.config.exempt.is_empty());
    let findings = masquerade.reading.findings.iter();
    out.extend(findings.filter(|finding| finding.code != codes::MASQ_LIST_EMPTY || !filled).cloned());
    let missing = &masquerade.reading.missing;
    if !missing.is_empty() && view.cluster.observed_exempt.is_none() {
        let message = format!("what nodes translate is not known, and not judged: {} missing", joined(missing));
        let mut finding = Finding::new(codes::MASQ_CONFIG_UNKNOWN, format!("{}.masquerade", view.path), message)
            .help("give the ConfigMaps along with the DaemonSet, or state what a node has as `observedRules`");
        finding.on.extend(missing.iter().cloned());
        out.push(finding);
    }
}

/// "a is", "a and b are".
fn joined(items: &[String]) -> String {
    match items {
        [only] => format!("{only}, is"),
        items => format!("{}, are", items.join(", and ")),
    }
}
