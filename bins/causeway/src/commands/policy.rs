//! `causeway policy`.

mod explain;

use super::{look_in, print, refuse};
use crate::cli::policy::{ListArgs, MatrixArgs, PolicyCommand, PolicyDiffArgs, ReadingArgs};
use crate::cli::{Format, FormatKind, InputArgs, ReadArgs};
use crate::progress::Progress;
use crate::{Exit, inputs, output};
use causeway_addr::Family;
use causeway_model::design::{Cluster, Design, NoteKind, Protocol};
use causeway_model::suggest::nearest;
use causeway_policy::who::{self, PortWord};
use causeway_policy::{Engine, Index, Matrix, connections, difference, exposure, from_ingress_controller, world};
use causeway_read::diagnostic::InputError;
use causeway_read::{Loaded, Read};
use causeway_report::human::{self, Look};
use causeway_report::policy::{self as report, Asked};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Tables that are made without having been asked for by port.
const MOST_TABLES: usize = 16;

const NO_CLUSTER: &str = "there is no cluster here, and no Kubernetes object of one";

pub(crate) fn run(command: &PolicyCommand) -> Result<Exit, clap::Error> {
    match command {
        PolicyCommand::Explain(args) => explain::run(args),
        PolicyCommand::Matrix(args) => matrix(args),
        PolicyCommand::List(args) => list(args),
        PolicyCommand::Exposure(args) => exposed(args),
        PolicyCommand::Diff(args) => diff(args),
    }
}

/// What was read, and the policies of one cluster of it.
struct Policies {
    sources: causeway_model::source::Sources,
    read: Read,
    cluster: String,
    engine: Engine,
    index: Index,
    family: Option<Family>,
}

impl Policies {
    fn cluster(&self) -> Option<&Cluster> {
        self.read.design.clusters.get(self.cluster.as_str())
    }

    fn asked(&self) -> Option<Asked<'_>> {
        Some(Asked {
            design: &self.read.design,
            sources: &self.sources,
            name: &self.cluster,
            cluster: self.cluster()?,
            engine: self.engine,
            index: &self.index,
            family: self.family,
        })
    }
}

/// Reads, and puts the policies of the cluster in question together. Words may have its name in front.
fn load(
    paths: &[PathBuf],
    how: &ReadArgs,
    reading: &ReadingArgs,
    engine: Option<Engine>,
    words: &[&str],
    formats: &[Format],
) -> Result<Result<Policies, Exit>, clap::Error> {
    let progress = Progress::start("reading");
    let Loaded { sources, outcome } = inputs::load(paths, how.kind);
    drop(progress);
    let read = match outcome {
        Ok(read) => read,
        Err(errors) => return Ok(Err(refuse(&sources, &errors, how.color, formats))),
    };
    let refused = refused(&read.design);
    if !refused.is_empty() {
        return Ok(Err(refuse(&sources, &refused, how.color, formats)));
    }
    let notes = human::notes(&read.design, &sources, &Look { color: false, ..how.look() });
    output::say(&notes, how.color);
    let names: Vec<&str> = read.design.clusters.keys().map(|name| name.as_str()).collect();
    let named = || words.iter().find_map(|word| who::cluster_of(&read.design, word));
    let name = match (&reading.cluster, names.as_slice()) {
        (Some(name), _) if names.contains(&name.as_str()) => name.clone(),
        (Some(name), _) => {
            let hint = nearest(name, names.iter().copied())
                .map_or(String::new(), |nearest| format!("; did you mean `{nearest}`?"));
            return Err(match names.as_slice() {
                [] => output::wrong(NO_CLUSTER),
                known => output::wrong(&format!("there is no cluster `{name}`{hint}; known are {}", known.join(", "))),
            });
        }
        (None, [only]) => (*only).to_owned(),
        (None, []) => return Err(output::wrong(NO_CLUSTER)),
        (None, several) => match named() {
            Some(name) => name,
            None => {
                let known = several.join(", ");
                return Err(output::wrong(&format!(
                    "there are several clusters: choose one with `--cluster`; known are {known}"
                )));
            }
        },
    };
    let Some(cluster) = read.design.clusters.get(name.as_str()) else {
        return Err(output::wrong(&format!("there is no cluster `{name}`")));
    };
    let engine = engine.or(reading.engine).unwrap_or_else(|| world::engine_of(cluster));
    let index = world::index(&read.design, cluster, engine);
    Ok(Ok(Policies { sources, cluster: name, engine, index, read, family: reading.family }))
}

/// What an API server would not take. A cluster can't have it: what would be allowed there is no answer.
fn refused(design: &Design) -> Vec<InputError> {
    const HELP: &str = "write it as the API has it; `kubectl apply --dry-run=server --validate=strict` tells";
    let mut out = Vec::new();
    for note in design.notes.iter().filter(|note| note.kind == NoteKind::Refused) {
        out.push(InputError { at: note.at, message: note.message.clone(), help: HELP.to_owned() });
    }
    for (name, cluster) in &design.clusters {
        for (at, policy) in cluster.policies.iter().enumerate() {
            let Some(policy) = &policy.meaning else { continue };
            for fault in &policy.faults {
                let path = format!("clusters.{name}.policies.{at}.{}", fault.path);
                let message = format!("`{}`: {}", policy.id, fault.message);
                out.push(InputError { at: design.places.nearest(&path), message, help: HELP.to_owned() });
            }
        }
    }
    out
}

fn load_input(
    input: &InputArgs,
    reading: &ReadingArgs,
    formats: &[Format],
) -> Result<Result<Policies, Exit>, clap::Error> {
    load(&input.paths, &input.read, reading, None, &[], formats)
}

fn matrix(args: &MatrixArgs) -> Result<Exit, clap::Error> {
    let known = &[FormatKind::Human, FormatKind::Json, FormatKind::Csv, FormatKind::Svg];
    let formats = output::formats(&args.format, known, "policy matrix")?;
    let loaded = match load_input(&args.input, &args.reading, &formats)? {
        Ok(loaded) => loaded,
        Err(exit) => return Ok(exit),
    };
    let Some(asked) = loaded.asked() else { return Ok(Exit::Usage) };
    let ports = asked_ports(args, asked.cluster)?;
    let pods: Vec<causeway_policy::End> = asked.index.pods().collect();
    let tables: report::Tables = ports
        .into_iter()
        .map(|(protocol, port)| ((protocol, port), Matrix::of(asked.index, &pods, protocol, port, args.reading.family)))
        .collect();
    let mut exit = Exit::Fine;
    for format in &formats {
        let text = match format.kind {
            FormatKind::Json => report::matrix_json(&asked, &tables),
            FormatKind::Csv => report::matrix_csv(&tables),
            FormatKind::Svg => report::matrix_svg(&tables),
            _ => report::matrix_human(&asked, &tables, look_in(format, &args.input.read.look()).width),
        };
        exit = exit.max(print(format, &text, args.input.read.color));
    }
    Ok(exit)
}

/// The tables that are wanted: a port, in each protocol that has ports; the others once. A name is every number pods give it.
fn asked_ports(args: &MatrixArgs, cluster: &Cluster) -> Result<BTreeSet<(Protocol, u16)>, clap::Error> {
    let protocols = if args.proto.is_empty() { vec![Protocol::Tcp] } else { args.proto.clone() };
    let has_ports = |protocol: &&Protocol| **protocol != Protocol::Icmp;
    if !args.port.is_empty() && !protocols.iter().any(|protocol| has_ports(&protocol)) {
        return Err(output::wrong("icmp has no ports: leave `--port` away"));
    }
    let portless = protocols.iter().filter(|protocol| !has_ports(protocol)).map(|protocol| (*protocol, 0));
    let mut ports: BTreeSet<(Protocol, u16)> = portless.collect();
    let pods = || cluster.pods.iter().filter(|pod| !pod.terminated);
    for word in &args.port {
        let name = match word {
            PortWord::Number(number) => {
                ports.extend(protocols.iter().filter(has_ports).map(|protocol| (*protocol, *number)));
                continue;
            }
            PortWord::Name(name) => name,
        };
        let of = pods().filter_map(|pod| pod.named_ports.get(name)).copied();
        let meant: BTreeSet<(Protocol, u16)> =
            of.filter(|(protocol, _)| args.proto.is_empty() || args.proto.contains(protocol)).collect();
        if meant.is_empty() {
            let known: BTreeSet<&str> = pods().flat_map(|pod| pod.named_ports.keys()).map(String::as_str).collect();
            let hint = nearest(name, known.iter().copied().filter(|known| known != name));
            let hint = hint.map_or(String::new(), |nearest| format!("; did you mean `{nearest}`?"));
            let of = if args.proto.is_empty() { "" } else { " of these protocols" };
            return Err(output::wrong(&format!("no pod calls a port{of} `{name}`{hint}")));
        }
        say_ports(&format!("`{name}` is"), &meant, "", args);
        ports.extend(meant);
    }
    if !args.port.is_empty() || (args.proto.len() == ports.len() && !ports.is_empty()) {
        return Ok(ports);
    }
    let wanted = |protocol: &Protocol| args.proto.is_empty() || args.proto.contains(protocol);
    let listens = pods().flat_map(|pod| pod.listens.iter().copied()).filter(|(protocol, _)| wanted(protocol));
    let mut found: BTreeSet<(Protocol, u16)> = listens.filter(|(protocol, _)| has_ports(&protocol)).collect();
    if found.is_empty() {
        found.extend(protocols.iter().filter(has_ports).map(|protocol| (*protocol, 80)));
        say_ports("no pod says which port it listens on: asked about", &found, "; choose others with `--port`", args);
    } else {
        let left_out = found.len().saturating_sub(MOST_TABLES);
        found = found.into_iter().take(MOST_TABLES).collect();
        let left_out = if left_out > 0 { format!(", {left_out} more left out") } else { String::new() };
        say_ports("asked about", &found, &format!("{left_out}; choose others with `--port`"), args);
    }
    ports.extend(found);
    Ok(ports)
}

fn say_ports(before: &str, ports: &BTreeSet<(Protocol, u16)>, after: &str, args: &MatrixArgs) {
    let shown: Vec<String> = ports.iter().map(|(protocol, port)| format!("{protocol}/{port}")).collect();
    output::say(&format!("{before} {}{after}\n", shown.join(", ")), args.input.read.color);
}

fn list(args: &ListArgs) -> Result<Exit, clap::Error> {
    let known = &[FormatKind::Human, FormatKind::Json, FormatKind::Csv];
    let formats = output::formats(&args.format, known, "policy list")?;
    let loaded = match load_input(&args.input, &args.reading, &formats)? {
        Ok(loaded) => loaded,
        Err(exit) => return Ok(exit),
    };
    let Some(asked) = loaded.asked() else { return Ok(Exit::Usage) };
    let mut found = connections(asked.index, asked.family);
    found.extend(from_ingress_controller(asked.index, &world::behind_ingress(asked.cluster), asked.family));
    let mut exit = Exit::Fine;
    for format in &formats {
        let text = match format.kind {
            FormatKind::Json => report::connections_json(&asked, &found),
            FormatKind::Csv => report::connections_csv(&asked, &found),
            _ => report::connections_human(&asked, &found),
        };
        exit = exit.max(print(format, &text, args.input.read.color));
    }
    Ok(exit)
}

fn exposed(args: &ListArgs) -> Result<Exit, clap::Error> {
    let formats = output::formats(&args.format, &[FormatKind::Human, FormatKind::Json], "policy exposure")?;
    let loaded = match load_input(&args.input, &args.reading, &formats)? {
        Ok(loaded) => loaded,
        Err(exit) => return Ok(exit),
    };
    let Some(asked) = loaded.asked() else { return Ok(Exit::Usage) };
    let found = exposure(asked.index, asked.family);
    let mut exit = Exit::Fine;
    for format in &formats {
        let text = match format.kind {
            FormatKind::Json => report::exposure_json(&asked, &found),
            _ => report::exposure_human(&asked, &found),
        };
        exit = exit.max(print(format, &text, args.input.read.color));
    }
    Ok(exit)
}

fn diff(args: &PolicyDiffArgs) -> Result<Exit, clap::Error> {
    let formats = output::formats(&args.format, &[FormatKind::Human, FormatKind::Json], "policy diff")?;
    let engines = match args.engines.as_slice() {
        [one, other] => [Some(*one), Some(*other)],
        [] => [None, None],
        _ => return Err(output::wrong("`--engines` takes two, as in `--engines npm,cilium`")),
    };
    let new = args.new.as_ref().unwrap_or(&args.old);
    if new == &args.old && args.engines.is_empty() {
        output::say("OLD and NEW are the same: nothing can differ\n", args.read.color);
    }
    let [of_old, of_new] = engines;
    let mut sides = Vec::new();
    for (path, engine) in [(&args.old, of_old), (new, of_new)] {
        match load(std::slice::from_ref(path), &args.read, &args.reading, engine, &[], &formats)? {
            Ok(loaded) => sides.push(loaded),
            Err(exit) => return Ok(exit),
        }
    }
    let [old, new] = sides.as_slice() else { return Ok(Exit::Usage) };
    let (Some(old), Some(new)) = (old.asked(), new.asked()) else { return Ok(Exit::Usage) };
    let found = difference(old.index, new.index, new.family);
    let changed = !found.changes.is_empty() || !found.gone.is_empty() || !found.new.is_empty();
    let mut exit = if args.deny_change && changed { Exit::Findings } else { Exit::Fine };
    for format in &formats {
        let text = match format.kind {
            FormatKind::Json => report::difference_json(&old, &new, &found),
            _ => report::difference_human(&old, &new, &found),
        };
        exit = exit.max(print(format, &text, args.read.color));
    }
    Ok(exit)
}
