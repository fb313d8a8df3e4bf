//! From a cluster's masquerade settings to what its agent makes of them: which files its directory holds, what each
//! reader does with them, and what is worth saying, with the place of every word.

use super::cidr::{self, GoCidr};
use super::fields::{self, LINK_LOCAL, LINK_LOCAL_V6, LIST};
use super::flags::{self, FlagError, Flags};
use super::opened::Opened;
use super::reference::{self, CONFIG_DIRECTORY, Directory, DirectoryEntry, takes_part};
use super::value::{Document, Value};
use causeway_model::codes;
use causeway_model::design::{AgentManifest, ConfigMap, Masquerade, MasqueradeAgent, MasqueradeFile};
use causeway_model::facts::masquerade::CONFIG_MAPS;
use causeway_model::finding::{Finding, Severity};
use causeway_model::masquerade::{
    MasqueradeOutcome, MasqueradeReader, MasqueradeReading, ReadMasqueradeEntry, ReadMasqueradeFile,
};
use causeway_model::source::Span;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

/// A file of the directory and where its text comes from.
struct Source<'a> {
    object: String,
    config_map: Option<&'a str>,
    file: &'a MasqueradeFile,
}

/// What of a cluster decides how its files are read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// eBPF host routing is on: AKS' merger and Cilium take the place of the agent AKS ships.
    pub ebpf_host_routing: bool,
    /// The cluster has IPv6: the agent AKS ships runs with `--enable-ipv6`.
    pub ipv6: bool,
    /// AKS runs an agent in the cluster's mode. Without a DaemonSet of the user's it is the only reader, and it mounts
    /// ConfigMaps of its own names only.
    pub ships_agent: bool,
}

/// Where the agent AKS ships runs, and looks for its ConfigMaps.
const PLATFORM_NAMESPACE: &str = "kube-system";

/// Reads the masquerade files of a cluster. `path` is the dotted path of the settings in the design
/// (`clusters.prod.masquerade`).
pub fn read(masquerade: &Masquerade, around: Surroundings, path: &str) -> MasqueradeReading {
    if masquerade.agent == Some(MasqueradeAgent::None) {
        return MasqueradeReading::default();
    }
    let reader = reader_of(masquerade, around.ebpf_host_routing);
    let mut missing = Vec::new();
    let sources = sources(masquerade, around, path, &mut missing);
    let unread = unread_by_platform(masquerade, around, path);
    let stated = masquerade.agent.is_some() || masquerade.daemon_set.is_some();
    if sources.is_empty() && !stated {
        return MasqueradeReading { missing, findings: unread, ..MasqueradeReading::default() };
    }
    let directory = directory(masquerade, &sources);
    let opened = Opened::new(&directory);
    if let (None, _) = given_arguments(masquerade, path) {
        missing.push("the agent's arguments, which stand in another program's command line".to_owned());
    }
    let (mut flags, mut findings, broken) = arguments(masquerade, reader, path);
    let implied_ipv6 = around.ipv6 && masquerade.daemon_set.is_none() && masquerade.flags.is_empty();
    flags.enable_ipv6 |= implied_ipv6;
    let outcomes = MasqueradeReader::ALL.into_iter().map(|each| {
        let outcome = match (&broken, each == reader) {
            (Some(message), true) => MasqueradeOutcome::Refused { message: message.clone(), exits: true },
            (None, true) => opened.outcome(each, &flags),
            (_, false) => {
                let mut flags = flags_of(masquerade, each);
                flags.enable_ipv6 |= implied_ipv6;
                opened.outcome(each, &flags)
            }
        };
        (each, outcome)
    });
    let outcomes: BTreeMap<MasqueradeReader, MasqueradeOutcome> = outcomes.collect();
    for issue in opened.strict(reader, &flags) {
        let source = issue.file.as_ref().and_then(|file| sources.get(file));
        let object = source.map_or_else(|| path.to_owned(), |source| source.object.clone());
        let range = issue.range.map(|range| widened(source.map_or("", |source| &source.file.text), range));
        let words = range.clone().and_then(|range| source?.file.text.get(range)).filter(|words| !words.contains('\n'));
        let mut finding = Finding::new(issue.code, object, issue.message).severity(issue.severity).help(issue.help);
        finding.at = range.and_then(|range| source?.file.place(range));
        finding.on.extend(words.map(|words| words.trim_matches(['"', '\'']).to_owned()));
        finding.evidence = issue.evidence;
        findings.push(finding);
    }
    findings.extend(unmounted(masquerade, path));
    findings.extend(unread);
    findings.extend(absent_keys(masquerade, outcomes.get(&reader), path));
    let files = sources
        .iter()
        .map(|(name, source)| {
            let held = opened.entries.as_ref().ok().and_then(|entries| entries.get(name.as_str()));
            read_file(reader, name, source, held.and_then(|held| held.document().ok()))
        })
        .collect();
    MasqueradeReading {
        reader: Some(reader),
        files,
        outcomes,
        findings,
        missing,
        enable_ipv6: flags.enable_ipv6,
        chain: (flags.masq_chain != Flags::defaults(reader).masq_chain).then(|| flags.masq_chain.clone()),
    }
}

/// What an agent of that kind, started with these flags, makes of the files, whoever is stated to read them.
pub fn outcome_of(masquerade: &Masquerade, reader: MasqueradeReader, flags: &Flags) -> MasqueradeOutcome {
    let sources = sources(masquerade, Surroundings::default(), "masquerade", &mut Vec::new());
    reference::outcome(reader, flags, &directory(masquerade, &sources))
}

/// Which program reads the files.
fn reader_of(masquerade: &Masquerade, ebpf_host_routing: bool) -> MasqueradeReader {
    let image = masquerade.daemon_set.as_ref().and_then(|manifest| manifest.image.as_deref()).unwrap_or("");
    match masquerade.agent {
        Some(MasqueradeAgent::Cilium) => MasqueradeReader::Cilium,
        Some(MasqueradeAgent::IpMasqAgent) => MasqueradeReader::Original,
        Some(_) => MasqueradeReader::V2,
        None if ebpf_host_routing && masquerade.daemon_set.is_none() => MasqueradeReader::Merger,
        None if image.contains("ip-masq-agent") && !image.contains("ip-masq-agent-v2") && !image.contains("/aks/") => {
            MasqueradeReader::Original
        }
        None => MasqueradeReader::V2,
    }
}

/// The files of the directory: those given directly, and those ConfigMaps bring. With a DaemonSet its volumes say which and
/// under which names; without one every key is taken for a file.
fn sources<'a>(
    masquerade: &'a Masquerade,
    around: Surroundings,
    path: &str,
    missing: &mut Vec<String>,
) -> BTreeMap<String, Source<'a>> {
    let mut sources = BTreeMap::new();
    for (name, file) in &masquerade.files {
        let object = format!("{path}.files.{name}");
        sources.insert(name.clone(), Source { object, config_map: None, file });
    }
    let mut add = |name: &str, at: usize, key: &str, map: &'a ConfigMap, file: &'a MasqueradeFile| {
        let mut unique = name.to_owned();
        while sources.contains_key(&unique) {
            unique.push('~');
        }
        let object = format!("{path}.configMaps.{at}.data.{key}");
        sources.insert(unique, Source { object, config_map: Some(&map.name), file });
    };
    let Some(manifest) = &masquerade.daemon_set else {
        for (at, map) in masquerade.config_maps.iter().enumerate() {
            if unread_because(masquerade, around, map).is_some() {
                continue;
            }
            for (key, file) in &map.data {
                add(key, at, key, map, file);
            }
        }
        return sources;
    };
    for (directory, mount) in manifest.mounts.iter().filter_map(|mount| Some((under_config(&mount.path)?, mount))) {
        for mounted in &mount.config_maps {
            let found = masquerade
                .config_maps
                .iter()
                .enumerate()
                .find(|(_, map)| map.name == mounted.name && same_namespace(manifest, map));
            let Some((at, map)) = found else {
                // Where no ConfigMap was given at all, not even an optional one is known to be absent. What AKS mounts into its own
                // agent is known without being given.
                let elsewhere = masquerade.config_maps.iter().any(|map| map.name == mounted.name);
                let given = mounted.optional && !masquerade.config_maps.is_empty();
                let platforms = mounted.name.starts_with("azure-ip-masq-agent-config");
                if !given && !elsewhere && !platforms && !mounted.name.is_empty() {
                    missing.push(format!(
                        "the ConfigMap `{}/{}`, which the DaemonSet `{}` mounts",
                        namespace(manifest),
                        mounted.name,
                        manifest.name
                    ));
                }
                continue;
            };
            for (key, file) in &map.data {
                let name = match &mounted.items {
                    None => Some(key.as_str()),
                    Some(items) => items.get(key).map(String::as_str),
                };
                match (name, directory, &mount.sub_path) {
                    (Some(name), "", None) if !name.contains('/') => add(name, at, key, map, file),
                    // One file of the volume, mounted under a name of its own.
                    (Some(name), own, Some(sub_path)) if name == sub_path && !own.is_empty() && !own.contains('/') => {
                        add(own, at, key, map, file)
                    }
                    _ => {}
                }
            }
        }
    }
    sources
}

/// What is below the configuration directory; empty for itself.
fn under_config(path: &str) -> Option<&str> {
    let rest = path.trim_end_matches('/').strip_prefix(CONFIG_DIRECTORY)?;
    if rest.is_empty() { Some("") } else { rest.strip_prefix('/') }
}

fn namespace(manifest: &AgentManifest) -> &str {
    manifest.namespace.as_deref().unwrap_or("default")
}

fn same_namespace(manifest: &AgentManifest, map: &ConfigMap) -> bool {
    map.namespace.as_deref().unwrap_or("default") == namespace(manifest)
}

fn directory(masquerade: &Masquerade, sources: &BTreeMap<String, Source<'_>>) -> Directory {
    let mounted = match &masquerade.daemon_set {
        None => true,
        Some(manifest) => manifest.mounts.iter().any(|mount| under_config(&mount.path).is_some()),
    };
    if !mounted && sources.is_empty() {
        return Directory::Unlistable("no such file or directory".to_owned());
    }
    let entries = sources
        .iter()
        .map(|(name, source)| (name.clone(), DirectoryEntry::File(source.file.text.clone().into_bytes())));
    Directory::Entries(entries.collect())
}

/// The agent's own arguments among what its container is started with: without the program. `None` when a shell or
/// another program stands in front, whose text is not read.
pub fn agent_arguments(command: &[String]) -> Option<&[String]> {
    match command {
        [program, subcommand, rest @ ..] if base_name(program) == OURS && subcommand == "masquerade" => Some(rest),
        [program, rest @ ..] if !program.starts_with('-') => {
            let name = base_name(program);
            name.contains("masq").then_some(rest)
        }
        all => Some(all),
    }
}

/// Our own agent, which takes the place of ip-masq-agent-v2.
const OURS: &str = "causeway-node";

fn base_name(program: &str) -> &str {
    program.rsplit('/').next().unwrap_or(program)
}

/// Our own agent has flags beside those of the program it replaces; what the others mean is the same.
fn shared_arguments<'a>(
    masquerade: &Masquerade,
    reader: MasqueradeReader,
    arguments: &'a [String],
) -> Cow<'a, [String]> {
    if !masquerade.daemon_set.as_ref().is_some_and(AgentManifest::is_causeway) {
        return Cow::Borrowed(arguments);
    }
    let mut shared = Vec::new();
    let mut rest = arguments.iter().peekable();
    while let Some(argument) = rest.next() {
        let body = argument.trim_start_matches('-');
        let known = flags::takes_value(reader, body.split('=').next().unwrap_or(body));
        let value = match known {
            Some(true) | None if !body.contains('=') => rest.next_if(|next| !next.starts_with('-')),
            _ => None,
        };
        if known.is_some() {
            shared.push(argument.clone());
            shared.extend(value.cloned());
        }
    }
    Cow::Owned(shared)
}

fn flags_of(masquerade: &Masquerade, reader: MasqueradeReader) -> Flags {
    let (arguments, _) = given_arguments(masquerade, "");
    let arguments = shared_arguments(masquerade, reader, arguments.unwrap_or_default());
    flags::parse(reader, &arguments).unwrap_or_else(|_| Flags::defaults(reader))
}

/// The arguments, and the dotted path of the list they stand in.
fn given_arguments<'a>(masquerade: &'a Masquerade, path: &str) -> (Option<&'a [String]>, String) {
    match &masquerade.daemon_set {
        Some(manifest) => (agent_arguments(&manifest.args), format!("{path}.daemonSet")),
        None => (agent_arguments(&masquerade.flags), format!("{path}.flags")),
    }
}

/// Reads the arguments: the flags, what is worth saying about them, and the text the agent ends with if it refuses them.
fn arguments(masquerade: &Masquerade, reader: MasqueradeReader, path: &str) -> (Flags, Vec<Finding>, Option<String>) {
    let (arguments, object) = given_arguments(masquerade, path);
    let in_list = masquerade.daemon_set.is_none();
    let skipped = if in_list { masquerade.flags.len().saturating_sub(arguments.map_or(0, <[String]>::len)) } else { 0 };
    let place = |at: usize| {
        if in_list { format!("{object}.{}", at + skipped) } else { object.clone() }
    };
    let mut findings = Vec::new();
    let mut say = |object: String, severity, message: String, help: String| {
        findings.push(Finding::new(codes::AGENT_MANIFEST_MISCONFIGURED, object, message).severity(severity).help(help));
    };
    let arguments = &*shared_arguments(masquerade, reader, arguments.unwrap_or_default());
    let flags = match flags::parse(reader, arguments) {
        Ok(flags) => flags,
        Err(error) => {
            let (message, at) = match &error {
                FlagError::Refused { message, at } => (message.clone(), *at),
                FlagError::Help { at } => ("the program prints its usage and ends".to_owned(), *at),
            };
            let argument = arguments.get(at).map_or("", String::as_str);
            let name = argument.trim_start_matches('-').split('=').next().unwrap_or("");
            let help = match nearest_flag(name, reader) {
                Some(known) if known != name => format!("did you mean `--{known}`?"),
                _ => "correct or remove the argument".to_owned(),
            };
            let text = format!("{reader} ends at its argument `{argument}`: {message}");
            say(place(at), Severity::Error, text, help);
            return (Flags::defaults(reader), findings, Some(message));
        }
    };
    if let Some(first) = flags.unread.first() {
        let at = arguments.len().saturating_sub(flags.unread.len());
        let message = format!("nothing from the argument `{first}` on is read");
        say(place(at), Severity::Warning, message, "write flags and values as `--flag=value`".to_owned());
    }
    if flags.resync_interval <= 0 {
        let message = format!(
            "`--resync-interval={}` is a loop without a pause: the agent rewrites the rules all the time",
            flags.resync_interval
        );
        say(object.clone(), Severity::Warning, message, "write a number of seconds such as 60".to_owned());
    }
    (flags, findings, None)
}

fn nearest_flag(name: &str, reader: MasqueradeReader) -> Option<&'static str> {
    causeway_model::suggest::nearest(name, flags::known(reader))
}

/// ConfigMaps that look like the agent's and that its DaemonSet does not mount. Those of the agent AKS ships are that
/// one's business.
fn unmounted(masquerade: &Masquerade, path: &str) -> Vec<Finding> {
    let Some(manifest) = &masquerade.daemon_set else {
        return Vec::new();
    };
    let mounted = |map: &ConfigMap| {
        manifest.mounts.iter().flat_map(|mount| &mount.config_maps).any(|mounted| mounted.name == map.name)
    };
    let others = masquerade
        .config_maps
        .iter()
        .enumerate()
        .filter(|(_, map)| !mounted(map) && !map.name.starts_with("azure-ip-masq"));
    others
        .map(|(at, map)| {
            let message = format!(
                "no volume of the DaemonSet `{}` names the ConfigMap `{}`, so nothing reads it",
                manifest.name, map.name
            );
            Finding::new(codes::MASQ_FILE_IGNORED, format!("{path}.configMaps.{at}"), message)
                .help("mount it at `/etc/config`, or remove it")
                .on(&map.name)
        })
        .collect()
}

/// Why the agent AKS ships does not read a ConfigMap, and what to do; `None` where it does, or where it is not that agent's
/// business.
fn unread_because(masquerade: &Masquerade, around: Surroundings, map: &ConfigMap) -> Option<(String, String)> {
    let own = masquerade.daemon_set.as_ref().filter(|manifest| !manifest.name.starts_with("azure-ip-masq-agent"));
    let (reconciled, users) = CONFIG_MAPS.value;
    if [reconciled, users].contains(&map.name.as_str()) {
        // What an agent of the user's mounts is said of its DaemonSet.
        let mounts = own.into_iter().flat_map(|manifest| &manifest.mounts).flat_map(|mount| &mount.config_maps);
        let elsewhere = map.namespace.as_deref().filter(|namespace| *namespace != PLATFORM_NAMESPACE)?;
        if mounts.into_iter().any(|mounted| mounted.name == map.name) {
            return None;
        }
        let why = format!(
            "the ConfigMap `{}` is in the namespace `{elsewhere}`, and the agent reads that of `{PLATFORM_NAMESPACE}` only: it has no effect",
            map.name
        );
        return Some((why, format!("move it to the namespace `{PLATFORM_NAMESPACE}`, or remove it")));
    }
    // Somebody who states an agent may have one that mounts it.
    let alone = around.ships_agent && masquerade.agent.is_none() && masquerade.daemon_set.is_none();
    alone.then(|| {
        (
            format!("the agent AKS runs does not read the ConfigMap `{}`: it has no effect", map.name),
            format!(
                "that agent reads a ConfigMap of the name `{users}` in `{PLATFORM_NAMESPACE}`; if an agent of your own reads this one, give its DaemonSet too"
            ),
        )
    })
}

/// ConfigMaps the agent AKS ships passes over.
fn unread_by_platform(masquerade: &Masquerade, around: Surroundings, path: &str) -> Vec<Finding> {
    let maps = masquerade.config_maps.iter().enumerate();
    maps.filter_map(|(at, map)| {
        let (why, help) = unread_because(masquerade, around, map)?;
        Some(Finding::new(codes::MASQ_FILE_IGNORED, format!("{path}.configMaps.{at}"), why).help(help).on(&map.name))
    })
    .collect()
}

/// Keys a volume asks for in vain while the ConfigMap has others. Where the source is optional the agent starts without a
/// word; where it is not, the pods do not start, which is said of the DaemonSet.
fn absent_keys(masquerade: &Masquerade, outcome: Option<&MasqueradeOutcome>, path: &str) -> Vec<Finding> {
    let Some(manifest) = &masquerade.daemon_set else { return Vec::new() };
    // Beside the platform's agent there is always the file AKS writes.
    let defaults = match outcome {
        Some(MasqueradeOutcome::Applied { config, defaults: true }) if !manifest.name.starts_with("azure-ip-masq") => {
            let ranges: Vec<String> = config.exempt.iter().map(|cidr| format!("`{cidr}`")).collect();
            format!(": the agent runs with its built-in list {}", ranges.join(", "))
        }
        _ => String::new(),
    };
    let mut findings = Vec::new();
    let mounts = manifest.mounts.iter().filter(|mount| under_config(&mount.path).is_some());
    for mounted in mounts.flat_map(|mount| &mount.config_maps).filter(|mounted| mounted.optional) {
        let Some(items) = &mounted.items else { continue };
        let maps = masquerade.config_maps.iter().enumerate();
        let here = maps.filter(|(_, map)| map.name == mounted.name && same_namespace(manifest, map));
        for (at, map) in here {
            let Some(wanted) = items.keys().find(|key| !map.data.contains_key(*key)) else { continue };
            let Some(held) = map.data.keys().find(|key| !items.contains_key(*key)) else { continue };
            let message = format!(
                "the key `{held}` of the ConfigMap `{}` is not read: the volume asks for `{wanted}`, which it does not have{defaults}",
                map.name
            );
            findings.push(
                Finding::new(codes::MASQ_FILE_IGNORED, format!("{path}.configMaps.{at}.data.{held}"), message)
                    .help(format!("name the key `{held}` in the volume's `items`, or rename it to `{wanted}`"))
                    .evidence("the source is optional, so the pods start without it")
                    .on(&map.name),
            );
        }
    }
    findings
}

/// What was not written at all has no bytes; the dash or the colon before it has.
fn widened(text: &str, range: Range<usize>) -> Range<usize> {
    if !range.is_empty() {
        return range;
    }
    let before = text.get(..range.start).unwrap_or(text);
    match before.rfind(['-', ':', '[', ',']) {
        Some(at) => at..at + 1,
        None => range,
    }
}

fn read_file(
    reader: MasqueradeReader,
    name: &str,
    source: &Source<'_>,
    document: Option<&Document>,
) -> ReadMasqueradeFile {
    let mut file = ReadMasqueradeFile {
        name: name.to_owned(),
        object: source.object.clone(),
        config_map: source.config_map.map(str::to_owned),
        takes_part: takes_part(reader, name),
        list: None,
        link_local: None,
        link_local_v6: None,
    };
    let Some(document) = document else {
        return file;
    };
    let place = |range: Range<usize>| -> Option<Span> { source.file.place(widened(&source.file.text, range)) };
    for member in fields::members(document) {
        let at = member.node.range.clone();
        match (fields::field_of(reader, &member.key), &member.node.value) {
            (Some(LIST), Value::Seq(items)) => {
                file.list =
                    Some(items.iter().map(|item| read_entry(reader, item, place(item.range.clone()))).collect());
            }
            (Some(LIST), _) => file.list = None,
            (Some(LINK_LOCAL), Value::Bool(value)) => file.link_local = Some((*value, place(at))),
            (Some(LINK_LOCAL_V6), Value::Bool(value)) => file.link_local_v6 = Some((*value, place(at))),
            _ => {}
        }
    }
    file
}

fn read_entry(reader: MasqueradeReader, item: &super::value::Node, at: Option<Span>) -> ReadMasqueradeEntry {
    let text = match &item.value {
        Value::String(text) => text.as_str(),
        _ => "",
    };
    let cidr = match reader {
        MasqueradeReader::Cilium | MasqueradeReader::Merger => cidr::parse_prefix(text).and_then(GoCidr::masked),
        _ => GoCidr::parse(text).filter(|cidr| cidr.is_aligned()).and_then(|cidr| cidr.programmed(text).ok()),
    };
    ReadMasqueradeEntry { text: text.to_owned(), cidr, at }
}

#[cfg(test)]
mod tests;
