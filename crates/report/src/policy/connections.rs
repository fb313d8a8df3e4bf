//! Lists of who may talk to whom, and of who is exposed.

use super::Asked;
use super::matrix::csv;
use crate::json::to_text;
use crate::text::printable;
use causeway_addr::Family;
use causeway_model::policy::Direction;
use causeway_policy::{Connection, Exposure, Party, PortSet, families};
use serde::Serialize;

#[derive(Serialize)]
struct Document<'a> {
    causeway: u32,
    cluster: &'a str,
    engine: &'static str,
    connections: Vec<JsonConnection>,
    missing: Vec<String>,
    #[serde(rename = "notEnforced")]
    not_enforced: Vec<String>,
    family: Option<&'static str>,
    #[serde(rename = "leftOut")]
    left_out: Vec<String>,
}

#[derive(Serialize)]
struct ExposureDocument<'a> {
    causeway: u32,
    cluster: &'a str,
    engine: &'static str,
    ingress: Vec<JsonConnection>,
    egress: Vec<JsonConnection>,
    open: JsonOpen<'a>,
    missing: Vec<String>,
    #[serde(rename = "notEnforced")]
    not_enforced: Vec<String>,
    family: Option<&'static str>,
    #[serde(rename = "leftOut")]
    left_out: Vec<String>,
}

#[derive(Serialize)]
struct JsonOpen<'a> {
    ingress: &'a [String],
    egress: &'a [String],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JsonConnection {
    from: String,
    to: String,
    /// The members of both ends, where an end has several: what was printed before each end had its own list.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pods: Vec<String>,
    from_pods: Vec<String>,
    to_pods: Vec<String>,
    ports: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    unsure: Option<String>,
    /// Where it is not the same in every family that both ends have.
    #[serde(skip_serializing_if = "Option::is_none")]
    family: Option<&'static str>,
}

/// A party, with the workload it stands for where it is a template.
pub(super) fn party(asked: &Asked<'_>, party: &Party) -> String {
    let Party::Pods(namespace, names) = party else { return party.to_string() };
    let [name] = names.as_slice() else { return party.to_string() };
    let pod = asked.cluster.pods.iter().find(|pod| pod.namespace == *namespace && pod.name == *name);
    let kind = pod.and_then(|pod| pod.template_of.as_deref()).and_then(|of| of.split_once('/'));
    kind.map_or_else(|| party.to_string(), |(kind, name)| format!("{namespace}/{name}[{kind}]"))
}

fn unsure(ports: &PortSet) -> Option<String> {
    (!ports.is_empty()).then(|| ports.to_string())
}

fn rows(asked: &Asked<'_>, connections: &[Connection]) -> Vec<JsonConnection> {
    let row = |connection: &Connection| {
        let (from_pods, to_pods) = (pods(&connection.from), pods(&connection.to));
        let several = |pods: &[String]| if pods.len() > 1 { pods.to_vec() } else { Vec::new() };
        JsonConnection {
            from: party(asked, &connection.from),
            to: party(asked, &connection.to),
            pods: [several(&from_pods), several(&to_pods)].concat(),
            from_pods,
            to_pods,
            ports: connection.ports.to_string(),
            unsure: unsure(&connection.unsure),
            family: connection.family.map(families::word),
        }
    };
    connections.iter().map(row).collect()
}

/// The pods an end stands for, by namespace and name; none for addresses and for those nobody has seen.
pub(super) fn pods(party: &Party) -> Vec<String> {
    match party {
        Party::Pods(namespace, names) => names.iter().map(|name| format!("{namespace}/{name}")).collect(),
        Party::Outside(..) | Party::Unseen(_) => Vec::new(),
    }
}

/// ` over ipv4`, where it is not the same in every family.
pub(super) fn over(family: Option<Family>) -> String {
    family.map_or(String::new(), |family| format!(" over {}", families::word(family)))
}

fn line(asked: &Asked<'_>, connection: &Connection) -> String {
    let ends = (party(asked, &connection.from), party(asked, &connection.to));
    let ports = match (connection.ports.is_empty(), unsure(&connection.unsure)) {
        (true, Some(unsure)) => format!("not known: {unsure}"),
        (_, Some(unsure)) => format!("{} (not known: {unsure})", connection.ports),
        (_, None) => connection.ports.to_string(),
    };
    printable(&format!("{} => {} : {ports}{}", ends.0, ends.1, over(connection.family))).into_owned()
}

/// For programs.
pub fn connections_json(asked: &Asked<'_>, connections: &[Connection]) -> String {
    to_text(&Document {
        causeway: 1,
        cluster: asked.name,
        engine: asked.engine.as_str(),
        connections: rows(asked, connections),
        missing: asked.missing_of_all(),
        not_enforced: asked.not_enforced(),
        family: asked.family_word(),
        left_out: asked.left_out(),
    })
}

/// For spreadsheets.
pub fn connections_csv(asked: &Asked<'_>, connections: &[Connection]) -> String {
    let mut out = String::from("from,to,ports,unsure,family\n");
    for connection in connections {
        let cells = [
            party(asked, &connection.from),
            party(asked, &connection.to),
            connection.ports.to_string(),
            unsure(&connection.unsure).unwrap_or_default(),
            connection.family.map_or("", families::word).to_owned(),
        ];
        out.push_str(&cells.map(|cell| csv(&cell)).join(","));
        out.push('\n');
    }
    out
}

/// For people: a line for each, sorted.
pub fn connections_human(asked: &Asked<'_>, connections: &[Connection]) -> String {
    let mut lines: Vec<String> = connections.iter().map(|connection| line(asked, connection)).collect();
    lines.sort();
    let mut out: String = lines.into_iter().map(|line| line + "\n").collect();
    if out.is_empty() {
        out.push_str(match asked.index.pods().next() {
            Some(_) => "no connection is allowed\n",
            None => "there is no pod here: nothing can be listed\n",
        });
    }
    asked.notes_of_all(&mut out);
    out
}

/// For programs.
pub fn exposure_json(asked: &Asked<'_>, exposure: &Exposure) -> String {
    let open = |direction: Direction| exposure.open.get(&direction).map(Vec::as_slice).unwrap_or_default();
    to_text(&ExposureDocument {
        causeway: 1,
        cluster: asked.name,
        engine: asked.engine.as_str(),
        ingress: rows(asked, &exposure.inward),
        egress: rows(asked, &exposure.outward),
        open: JsonOpen { ingress: open(Direction::Ingress), egress: open(Direction::Egress) },
        missing: asked.missing_of_all(),
        not_enforced: asked.not_enforced(),
        family: asked.family_word(),
        left_out: asked.left_out(),
    })
}

/// For people.
pub fn exposure_human(asked: &Asked<'_>, exposure: &Exposure) -> String {
    let mut out = String::new();
    for (title, connections) in [
        ("Who is not here and could reach pods", &exposure.inward),
        ("Who is not here and could be reached by pods", &exposure.outward),
    ] {
        out.push_str(&format!("{title}\n"));
        let mut lines: Vec<String> = connections.iter().map(|connection| line(asked, connection)).collect();
        lines.sort();
        if lines.is_empty() {
            let there = asked.index.pods().next().is_some();
            lines.push(if there { "nobody" } else { "there is no pod here: nothing can be said" }.to_owned());
        }
        lines.iter().for_each(|line| out.push_str(&format!("  {line}\n")));
        out.push('\n');
    }
    for (direction, names) in exposure.open.iter().filter(|(_, names)| !names.is_empty()) {
        out.push_str(&format!("No policy for {direction} selects\n"));
        names.iter().for_each(|name| out.push_str(&format!("  {}\n", printable(name))));
        out.push('\n');
    }
    asked.notes_of_all(&mut out);
    out
}
