//! `causeway policy explain`.

use super::{load, look_in, print};
use crate::cli::FormatKind;
use crate::cli::policy::ExplainFlowArgs;
use crate::{Exit, output};
use causeway_addr::Family;
use causeway_model::design::Protocol;
use causeway_policy::who::{Found, PortWord, Question, Target};
use causeway_policy::{Flow, families};
use causeway_report::policy::{self as report, Answers, Asked};

pub(super) fn run(args: &ExplainFlowArgs) -> Result<Exit, clap::Error> {
    let formats = output::formats(&args.format, &[FormatKind::Human, FormatKind::Json], "policy explain")?;
    let (place, stated) = split(&args.to)?;
    let port = port(args, stated)?;
    let words = [args.from.as_str(), place];
    let loaded = match load(&args.input.paths, &args.input.read, &args.reading, None, &words, &formats)? {
        Ok(loaded) => loaded,
        Err(exit) => return Ok(exit),
    };
    let Some(asked) = loaded.asked() else { return Ok(Exit::Usage) };
    let (design, cluster) = (asked.design, asked.cluster);
    let question = Question { design, cluster, name: asked.name, protocol: args.proto, port: port.as_ref() };
    let from = question.sender(&args.from).map_err(|reason| output::wrong(&reason))?;
    let to = question.receiver(place).map_err(|reason| output::wrong(&reason))?;
    let answers = ask(&asked, args, &from, &to, port.as_ref())?;
    let mut exit = if answers.verdict() == args.expect { Exit::Fine } else { Exit::Findings };
    for format in &formats {
        let text = match format.kind {
            FormatKind::Json => report::explain_json(&asked, &answers),
            _ => report::explain_human(&asked, &answers, look_in(format, &args.input.read.look()).width),
        };
        exit = exit.max(print(format, &text, args.input.read.color));
    }
    Ok(exit)
}

/// Every sender to every receiver.
fn ask(
    asked: &Asked<'_>,
    args: &ExplainFlowArgs,
    from: &Found,
    to: &Found,
    port: Option<&PortWord>,
) -> Result<Answers, clap::Error> {
    let family = family(asked, args, from, to)?;
    let number = match port {
        Some(PortWord::Number(number)) => *number,
        _ => 0,
    };
    let mut out = Answers { notes: [from.notes.as_slice(), &to.notes].concat(), ..Answers::default() };
    for sender in &from.targets {
        for receiver in &to.targets {
            let Target { end, port } = receiver;
            let (from_end, to_end) = (sender.end.clone(), end.clone());
            let port = port.unwrap_or(number);
            let flow = Flow { from: from_end, to: to_end, protocol: args.proto, port, family };
            let answer = match (&to.way, from.internet || to.internet) {
                (Some(way), _) => asked.index.explain_way(&flow, way, from.internet).map(|(flow, explained, notes)| {
                    for note in notes {
                        if !out.notes.contains(&note) {
                            out.notes.push(note);
                        }
                    }
                    (flow, explained)
                }),
                (None, true) => asked.index.explain_internet(&flow, from.internet),
                (None, false) => asked.index.explain(&flow).map(|explained| (flow, explained)),
            };
            out.all.push(answer.ok_or_else(|| output::wrong("one of the ends is not known"))?);
        }
    }
    Ok(out)
}

/// The family that is asked: the one of `--family`, or of the service's address that was given. Both ends must have it.
fn family(asked: &Asked<'_>, args: &ExplainFlowArgs, from: &Found, to: &Found) -> Result<Option<Family>, clap::Error> {
    let of_address = to.family.filter(|_| to.way.is_some());
    let Some(family) = args.reading.family.or(of_address) else { return Ok(None) };
    let word = families::word(family);
    for (option, stated, found) in [("--from", &args.from, from), ("--to", &args.to, to)] {
        let without = found.targets.iter().find(|target| !asked.index.may_have(&target.end, family));
        let other = found.family.is_some_and(|known| known != family);
        if !found.internet && (without.is_some() || other) {
            let who = without.map_or_else(|| stated.clone(), |target| target.end.to_string());
            let why = if args.reading.family.is_some() { "`--family`" } else { "the address in `--to`" };
            return Err(output::wrong(&format!("`{who}` of `{option}` has no {word} address, which {why} asks for")));
        }
    }
    Ok(Some(family))
}

/// The port, which stands in one place.
fn port(args: &ExplainFlowArgs, stated: Option<PortWord>) -> Result<Option<PortWord>, clap::Error> {
    if let (Some(one), Some(other)) = (&stated, &args.port)
        && one != other
    {
        return Err(output::wrong(&format!("`--to` says port {one} and `--port` says {other}: write one of them")));
    }
    match (stated.or_else(|| args.port.clone()), args.proto) {
        (None, Protocol::Icmp) => Ok(None),
        (Some(_), Protocol::Icmp) => Err(output::wrong("icmp has no ports: leave the port away")),
        (Some(port), _) => Ok(Some(port)),
        (None, _) => Err(output::wrong("the port is missing: write it behind `--to`, as in `pod/shop/db:5432`")),
    }
}

/// `WHERE[:PORT]`; an IPv6 address with a port stands in brackets.
fn split(text: &str) -> Result<(&str, Option<PortWord>), clap::Error> {
    match text.rsplit_once(':') {
        Some((place, port)) if !place.contains(':') || place.ends_with(']') => match PortWord::parse(port) {
            Ok(port) => Ok((place, Some(port))),
            Err(reason) => Err(output::wrong(&reason)),
        },
        _ => Ok((text, None)),
    }
}
