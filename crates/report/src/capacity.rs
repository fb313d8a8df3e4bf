//! Address pools and SNAT ports as tables, and as JSON.

use crate::Report;
use crate::human::{Look, Verbosity};
use crate::text::{count, grouped, printable, wrap};
use causeway_engine::Answer;
use causeway_engine::capacity::{AddressPool, Capacity, ClusterPorts, PoolKind};
use causeway_model::codes::Subject;
use causeway_model::finding::Finding;
use comfy_table::{Cell, CellAlignment, ColumnConstraint, ContentArrangement, Table, presets};
use std::ops::RangeInclusive;

/// Kinds of pools in the order of their tables.
const KINDS: &[(PoolKind, &str)] = &[
    (PoolKind::NodeSubnet, "node subnets"),
    (PoolKind::PodSubnet, "pod subnets"),
    (PoolKind::PodCidr, "pod ranges"),
    (PoolKind::ServiceCidr, "service ranges"),
];

/// The tables that stand in `check` too.
pub(crate) fn tables(capacity: &Capacity, look: &Look) -> String {
    let mut out = String::new();
    for (kind, words) in KINDS {
        let pools: Vec<&AddressPool> = capacity.pools.iter().filter(|pool| pool.kind == *kind).collect();
        if !pools.is_empty() {
            out.push_str(&format!("Addresses of {words}\n"));
            out.push_str(&addresses(&pools, look));
            out.push('\n');
        }
    }
    if !capacity.clusters.is_empty() {
        out.push_str("SNAT ports\n");
        out.push_str(&ports(&capacity.clusters, look));
        out.push('\n');
    }
    out
}

/// Something does not fit, or a finding about capacity counts.
pub fn fails(report: &Report<'_>) -> bool {
    let Answer { capacity, findings, .. } = report.answer;
    capacity.pools.iter().any(|pool| pool.fits == Some(false))
        || capacity.clusters.iter().any(|cluster| cluster.snat.fits == Some(false))
        || findings.iter().any(|finding| about_room(finding) && report.threshold.fails(finding))
}

/// The finding is about addresses or ports there are too few of.
fn about_room(finding: &Finding) -> bool {
    finding.code.subject() == Subject::Capacity || finding.code.as_str().contains("snat-")
}

/// The whole answer of `capacity`: the tables, the arithmetic of each row, and how much of it is unknown.
pub fn human(report: &Report<'_>, look: &Look) -> String {
    let capacity = &report.answer.capacity;
    let mut out = tables(capacity, look);
    if look.verbosity == Verbosity::Quiet {
        return out;
    }
    let pools = capacity.pools.iter().map(|pool| (pool.pool.as_str(), &pool.because));
    let clusters = capacity.clusters.iter().map(|cluster| (cluster.cluster.as_str(), &cluster.snat.because));
    for (name, because) in pools.chain(clusters).filter(|(_, because)| !because.is_empty()) {
        out.push_str(&format!("{}\n", printable(name)));
        for step in because {
            for (at, line) in wrap(&printable(step), look.width.saturating_sub(4).max(20)).iter().enumerate() {
                out.push_str(if at == 0 { "  " } else { "    " });
                out.push_str(line);
                out.push('\n');
            }
        }
        out.push('\n');
    }
    if capacity.pools.is_empty() && capacity.clusters.is_empty() {
        out.push_str("no address pools and no clusters\n");
    }
    let unknown = capacity.pools.iter().filter(|pool| pool.fits.is_none()).count()
        + capacity.clusters.iter().filter(|cluster| cluster.snat.fits.is_none()).count();
    if unknown > 0 {
        let rows = count(unknown, "row");
        out.push_str(&format!(
            "whether it fits is unknown for {rows} (`?`): the design does not state what is needed to tell\n"
        ));
    }
    out.push_str(&crate::human::notes(report.design, report.sources, look));
    out
}

/// `{"causeway": 1, "pools": [...], "clusters": [...]}`.
pub fn json(capacity: &Capacity) -> String {
    #[derive(serde::Serialize)]
    struct Document<'a> {
        causeway: u32,
        #[serde(flatten)]
        capacity: &'a Capacity,
    }
    crate::json::to_text(&Document { causeway: 1, capacity })
}

fn addresses(pools: &[&AddressPool], look: &Look) -> String {
    let header = [
        "pool",
        "prefix",
        "usable",
        "now",
        "at\nmaximum",
        "during\nupgrade",
        "node\nlost",
        "zone\nlost",
        "fits",
        "smallest",
    ];
    let rows = pools.iter().map(|pool| {
        [
            plain(&pool.pool),
            plain(&pool.prefix.as_deref().unwrap_or("?").replace(", ", "\n")),
            number(pool.usable),
            number(pool.now),
            number(pool.at_max),
            number(pool.during_upgrade),
            number(pool.after_node_loss),
            number(pool.after_zone_loss),
            fits(pool.fits, pool.short_by),
            pool.smallest_prefix.map_or("?".to_owned(), |length| format!("/{length}")),
        ]
    });
    layout(look, header, rows.collect(), 2..=7)
}

fn ports(clusters: &[ClusterPorts], look: &Look) -> String {
    let header = [
        "cluster",
        "type",
        "nodes",
        "ports\nper node",
        "needed",
        "available",
        "largest\nper node",
        "fewest\naddresses",
        "fits",
    ];
    let rows = clusters.iter().map(|ClusterPorts { cluster, snat }| {
        [
            plain(cluster),
            plain(snat.kind.as_str()),
            number(snat.effective_nodes),
            number(snat.ports_per_node),
            number(snat.ports_needed),
            number(snat.ports_available),
            number(snat.largest_valid_ports_per_node),
            number(snat.smallest_ip_count),
            fits(snat.fits, None),
        ]
    });
    layout(look, header, rows.collect(), 2..=7)
}

/// Whether it fits, in a word.
pub(crate) fn fits(fits: Option<bool>, short_by: Option<u64>) -> String {
    match (fits, short_by) {
        (Some(true), _) => "yes".to_owned(),
        (Some(false), Some(short_by)) => format!("{} short", grouped(short_by)),
        (Some(false), None) => "no".to_owned(),
        (None, _) => "?".to_owned(),
    }
}

/// Lays a table out. Only names, which stand first, are broken where it would be too wide: behind a `/` if that is enough.
pub(crate) fn layout<const N: usize>(
    look: &Look,
    header: [&str; N],
    mut rows: Vec<[String; N]>,
    numbers: RangeInclusive<usize>,
) -> String {
    let width = look.width.saturating_sub(1);
    if natural_width(header, &rows) > width {
        for name in rows.iter_mut().filter_map(|row| row.first_mut()) {
            *name = name.replace('/', "/\n");
        }
    }
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(u16::try_from(width).unwrap_or(u16::MAX))
        .set_header(header.map(Cell::new))
        .add_rows(rows);
    for (at, column) in table.column_iter_mut().enumerate() {
        if at > 0 {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
        if numbers.contains(&at) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let mut out = String::new();
    for line in table.lines() {
        out.push(' ');
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// Columns a table takes when nothing is broken: a space on each side of each cell.
fn natural_width<const N: usize>(header: [&str; N], rows: &[[String; N]]) -> usize {
    let longest = |text: &str| text.lines().map(|line| line.chars().count()).max().unwrap_or(0);
    let mut widths = header.map(longest);
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = longest(cell).max(*width);
        }
    }
    widths.iter().map(|width| width + 2).sum()
}

/// Words as a cell shows them, lines kept.
pub(crate) fn plain(text: &str) -> String {
    text.lines().map(printable).collect::<Vec<_>>().join("\n")
}

/// A number, or that it is not known.
pub(crate) fn number(number: Option<u64>) -> String {
    number.map_or("?".to_owned(), grouped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_are_broken_behind_the_slash_and_nothing_else_is() {
        let look = Look { width: 40, ..Look::default() };
        let rows = vec![["a-network-of-some/subnet-of-some".to_owned(), "1,024".to_owned(), "no room".to_owned()]];
        let table = layout(&look, ["pool", "usable", "fits"], rows, 1..=1);
        assert_eq!(
            table,
            "  pool                usable  fits
  a-network-of-some/   1,024  no room
  subnet-of-some
"
        );
        assert!(table.lines().all(|line| line.chars().count() <= 40));
    }
}
