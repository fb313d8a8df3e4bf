//! `causeway policy`.

use super::{look_in, print, refuse};
use crate::cli::policy::{ExplainFlowArgs, ListArgs, MatrixArgs, PolicyCommand, PolicyDiffArgs, ReadingArgs};
use crate::cli::{Format, FormatKind, InputArgs, ReadArgs};
use crate::progress::Progress;
use crate::{Exit, inputs, output};
use causeway_addr::Family;
use causeway_model::design::{Cluster, Design, NoteKind, Protocol};
use causeway_policy::{
    Engine, Explanation, Flow, Index, Matrix, connections, difference, exposure, from_ingress_controller, who, world,
};
use causeway_read::diagnostic::InputError;
use causeway_read::{Loaded, Read};
use causeway_report::human::{self, Look};
use causeway_report::policy::{self as report, Asked};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Tables that are made without having been asked for by port.
const MOST_TABLES: usize = 16;

pub(crate) fn run(command: &PolicyCommand) -> Result<Exit, clap::Error> {
    match command {
        PolicyCommand::Explain(args) => explain(args),
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

/// Reads, and puts the policies of the cluster in question together.
fn load(
    paths: &[PathBuf],
    how: &ReadArgs,
    reading: &ReadingArgs,
    engine: Option<Engine>,
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
    let name = match (&reading.cluster, names.as_slice()) {
        (Some(name), _) if names.contains(&name.as_str()) => name.clone(),
        (Some(name), _) => {
            return Err(output::wrong(&format!("there is no cluster `{name}`; known are {}", names.join(", "))));
        }
        (None, [only]) => (*only).to_owned(),
        (None, []) => return Err(output::wrong("there is no cluster here, and no Kubernetes object of one")),
        (None, several) => {
            let known = several.join(", ");
            return Err(output::wrong(&format!(
                "there are several clusters: choose one with `--cluster`; known are {known}"
            )));
        }
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
    load(&input.paths, &input.read, reading, None, formats)
}

fn explain(args: &ExplainFlowArgs) -> Result<Exit, clap::Error> {
    let formats = output::formats(&args.format, &[FormatKind::Human, FormatKind::Json], "policy explain")?;
    let loaded = match load_input(&args.input, &args.reading, &formats)? {
        Ok(loaded) => loaded,
        Err(exit) => return Ok(exit),
    };
    let Some(asked) = loaded.asked() else { return Ok(Exit::Usage) };
    let (place, stated) = split(&args.to)?;
    if let (Some(one), Some(other)) = (stated, args.port)
        && one != other
    {
        return Err(output::wrong(&format!("`--to` says port {one} and `--port` says {other}: write one of them")));
    }
    let port = match (stated.or(args.port), args.proto) {
        (Some(0), Protocol::Tcp | Protocol::Udp | Protocol::Sctp) => {
            return Err(output::wrong("nothing listens on port 0: ports are from 1 to 65535"));
        }
        (Some(port), _) => port,
        (None, Protocol::Icmp) => 0,
        (None, _) => {
            return Err(output::wrong("the port is missing: write it behind `--to`, as in `pod/shop/db:5432`"));
        }
    };
    let of_cluster = |word: &str| {
        let own = format!("{}/", loaded.cluster);
        word.strip_prefix(&own).filter(|rest| rest.contains('/')).unwrap_or(word).to_owned()
    };
    let resolve = |word: &str| {
        let word = of_cluster(word);
        who::resolve(asked.design, asked.cluster, &word, args.proto, port).map_err(|reason| output::wrong(&reason))
    };
    // What is sent to a service's address is translated before policies see it.
    let service = who::service_at(asked.cluster, place);
    let (from_word, to) = (of_cluster(&args.from), resolve(service.as_deref().unwrap_or(place))?);
    if from_word.starts_with("service/") {
        return Err(output::wrong("a service does not send: name a pod, a node or an address with `--from`"));
    }
    let mut answers: Vec<(Flow, Explanation)> = Vec::new();
    for from in resolve(&from_word)? {
        for to in &to {
            let flow = Flow {
                from: from.end.clone(),
                to: to.end.clone(),
                protocol: args.proto,
                port: to.port.unwrap_or(port),
                family: args.reading.family,
            };
            let of_internet = [of_cluster(place) == "internet", from_word == "internet"];
            let answer = match of_internet {
                [false, false] => asked.index.explain(&flow).map(|explanation| (flow, explanation)),
                [_, sends] => asked.index.explain_internet(&flow, sends),
            };
            answers.push(answer.ok_or_else(|| output::wrong("one of the ends is not known"))?);
        }
    }
    let mut exit = if report::verdict(&answers) == args.expect { Exit::Fine } else { Exit::Findings };
    for format in &formats {
        let text = match format.kind {
            FormatKind::Json => report::explain_json(&asked, &answers),
            _ => report::explain_human(&asked, &answers, look_in(format, &args.input.read.look()).width),
        };
        exit = exit.max(print(format, &text, args.input.read.color));
    }
    Ok(exit)
}

/// `WHERE[:PORT]`; an IPv6 address with a port stands in brackets.
fn split(text: &str) -> Result<(&str, Option<u16>), clap::Error> {
    match text.rsplit_once(':') {
        Some((place, port)) if !place.contains(':') || place.ends_with(']') => match port.parse() {
            Ok(port) => Ok((place, Some(port))),
            Err(_) => Err(output::wrong(&format!("`{port}` is no port: write a number from 1 to 65535"))),
        },
        _ => Ok((text, None)),
    }
}

fn matrix(args: &MatrixArgs) -> Result<Exit, clap::Error> {
    let known = &[FormatKind::Human, FormatKind::Json, FormatKind::Csv, FormatKind::Svg];
    let formats = output::formats(&args.format, known, "policy matrix")?;
    let loaded = match load_input(&args.input, &args.reading, &formats)? {
        Ok(loaded) => loaded,
        Err(exit) => return Ok(exit),
    };
    let Some(asked) = loaded.asked() else { return Ok(Exit::Usage) };
    let protocols = if args.proto.is_empty() { vec![Protocol::Tcp] } else { args.proto.clone() };
    let stated: BTreeSet<(Protocol, u16)> =
        protocols.iter().flat_map(|protocol| args.port.iter().map(|port| (*protocol, *port))).collect();
    let ports = if stated.is_empty() { listened(asked.cluster, &args.proto) } else { stated };
    if args.port.is_empty() {
        let shown: Vec<String> = ports.iter().map(|(protocol, port)| format!("{protocol}/{port}")).collect();
        output::say(&format!("asked about {}; choose others with `--port`\n", shown.join(", ")), args.input.read.color);
    }
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

/// The ports pods listen on; of those that say none, 80.
fn listened(cluster: &Cluster, protocols: &[Protocol]) -> BTreeSet<(Protocol, u16)> {
    let pods = cluster.pods.iter().filter(|pod| !pod.terminated);
    let wanted = |protocol: &Protocol| protocols.is_empty() || protocols.contains(protocol);
    let ports: BTreeSet<(Protocol, u16)> =
        pods.flat_map(|pod| pod.listens.iter().copied()).filter(|(protocol, _)| wanted(protocol)).collect();
    if ports.is_empty() {
        let protocol = protocols.first().copied().unwrap_or(Protocol::Tcp);
        return BTreeSet::from([(protocol, 80)]);
    }
    ports.into_iter().take(MOST_TABLES).collect()
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
        match load(std::slice::from_ref(path), &args.read, &args.reading, engine, &formats)? {
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
