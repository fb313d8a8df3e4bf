//! What each agent does with a configuration directory: what it accepts, what it refuses and in which words, and what
//! ends up in the kernel.

use super::cidr::{self, GoCidr};
use super::fields::{self, Fields, Item};
use super::flags::Flags;
use super::go;
use super::opened::{Held, Opened};
use super::value::Step;
use causeway_addr::Cidr;
use causeway_model::masquerade::{MasqueradeConfig, MasqueradeOutcome, MasqueradeReader};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// Where the agents look; none of them can be told otherwise.
pub const CONFIG_DIRECTORY: &str = "/etc/config";

/// Files whose names start so are read by ip-masq-agent-v2 and by AKS' merger.
pub const FILE_PREFIX: &str = "ip-masq";

/// The one file the original agent and Cilium read.
pub const SINGLE_FILE: &str = "ip-masq-agent";

/// Entries per file that ip-masq-agent-v2 takes.
pub const MAX_ENTRIES: usize = 64;

/// Characters of a chain's name that iptables takes.
const MAX_CHAIN: usize = 28;

/// The built-in list: RFC 1918.
const PRIVATE: [&str; 3] = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"];

/// The built-in list with `nomasq-all-reserved-ranges`, which is always Cilium's.
const RESERVED: [&str; 11] = [
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "240.0.0.0/4",
];

/// The configuration directory as it is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Directory {
    /// It can't be listed, in the operating system's words: `no such file or directory`, `permission denied`.
    Unlistable(String),
    /// What is in it, by name.
    Entries(BTreeMap<String, DirectoryEntry>),
}

/// One entry of the configuration directory. Symbolic links are what they lead to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DirectoryEntry {
    /// A file's bytes.
    File(Vec<u8>),
    /// A directory.
    Directory,
    /// It can't be opened, in the operating system's words.
    Unreadable(String),
}

impl Directory {
    /// A directory of readable files.
    pub fn of<N: Into<String>, B: Into<Vec<u8>>>(files: impl IntoIterator<Item = (N, B)>) -> Directory {
        Directory::Entries(
            files.into_iter().map(|(name, bytes)| (name.into(), DirectoryEntry::File(bytes.into()))).collect(),
        )
    }
}

/// What an agent applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// What the kernel gets.
    pub config: MasqueradeConfig,
    /// The list as the agent holds it, sorted; what it prints with `-v=2`.
    pub texts: Vec<String>,
    /// The files that took part, in the order read.
    pub files: Vec<String>,
    /// The list is the built-in one.
    pub defaults: bool,
}

/// What an agent refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// In the agent's words.
    pub message: String,
    /// At which step.
    pub stage: Stage,
    /// The file, where it is about one.
    pub file: Option<String>,
    /// The bytes of the file, where it is about some.
    pub range: Option<Range<usize>>,
    /// It ends, and is started again and again; otherwise it goes on with what it has.
    pub exits: bool,
    reader: MasqueradeReader,
}

/// The steps of a cycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Listing the directory, reading and checking files.
    Configuration,
    /// Handing the rules to the kernel.
    Rules,
    /// The same for IPv6.
    RulesV6,
}

impl Rejected {
    /// The whole line the agent logs.
    pub fn logged(&self) -> String {
        let step = match (self.reader, self.stage) {
            (MasqueradeReader::Cilium, _) => return self.message.clone(),
            (MasqueradeReader::Merger, _) => "error merging configuration: ",
            (_, Stage::Configuration) => "error syncing configuration: ",
            (_, Stage::Rules) => "error syncing masquerade rules: ",
            (_, Stage::RulesV6) => "error syncing masquerade rules for ipv6: ",
        };
        let process = if self.exits { "the daemon encountered an error: " } else { "" };
        format!("{process}{step}{}", self.message)
    }
}

/// Whether a reader opens a file of this name.
pub fn takes_part(reader: MasqueradeReader, name: &str) -> bool {
    match reader {
        MasqueradeReader::V2 | MasqueradeReader::Merger => name.starts_with(FILE_PREFIX),
        MasqueradeReader::Original | MasqueradeReader::Cilium => name == SINGLE_FILE,
    }
}

/// Does what an agent does with a directory.
///
/// # Errors
/// What it refuses, in its words. Behind `yaml: ` and in what `iptables-restore` adds, versions differ in their wording.
pub fn reference(reader: MasqueradeReader, flags: &Flags, directory: &Directory) -> Result<Accepted, Rejected> {
    read(reader, flags, &Opened::new(directory))
}

pub(super) fn read(reader: MasqueradeReader, flags: &Flags, directory: &Opened<'_>) -> Result<Accepted, Rejected> {
    match reader {
        MasqueradeReader::V2 => merged(reader, flags, directory),
        MasqueradeReader::Original => original(flags, directory),
        MasqueradeReader::Cilium => cilium(directory),
        MasqueradeReader::Merger => merged(reader, flags, directory),
    }
}

/// The same as plain data for the model.
pub fn outcome(reader: MasqueradeReader, flags: &Flags, directory: &Directory) -> MasqueradeOutcome {
    told(reference(reader, flags, directory))
}

pub(super) fn told(result: Result<Accepted, Rejected>) -> MasqueradeOutcome {
    match result {
        Ok(accepted) => MasqueradeOutcome::Applied { config: accepted.config, defaults: accepted.defaults },
        Err(rejected) => MasqueradeOutcome::Refused { message: rejected.logged(), exits: rejected.exits },
    }
}

/// Where a message comes from.
struct Teller<'a> {
    reader: MasqueradeReader,
    file: Option<&'a str>,
}

impl Teller<'_> {
    fn reject(&self, stage: Stage, message: String, range: Option<Range<usize>>) -> Rejected {
        let exits = matches!(self.reader, MasqueradeReader::V2 | MasqueradeReader::Merger);
        Rejected { message, stage, file: self.file.map(str::to_owned), range, exits, reader: self.reader }
    }

    fn configuration(&self, message: String, range: Option<Range<usize>>) -> Rejected {
        self.reject(Stage::Configuration, message, range)
    }
}

/// ip-masq-agent-v2 and AKS' merger: every file with the prefix, each checked on its own, the union of the lists and of the
/// booleans.
fn merged(reader: MasqueradeReader, flags: &Flags, directory: &Opened<'_>) -> Result<Accepted, Rejected> {
    let teller = Teller { reader, file: None };
    if let Err(why) = directory.entries {
        return Err(teller
            .configuration(format!("failed to read config directory, error: open {CONFIG_DIRECTORY}/: {why}"), None));
    }
    let (mut items, mut files) = (Vec::new(), Vec::new());
    let (mut link_local, mut link_local_v6) = (false, false);
    for (name, held) in directory.entries().filter(|(name, _)| takes_part(reader, name)) {
        let teller = Teller { reader, file: Some(name) };
        let quoted = go::quote(name);
        bytes_of(name, held.entry)
            .map_err(|why| teller.configuration(format!("failed to read config file {quoted}, error: {why}"), None))?;
        let fields = held.document().and_then(|document| fields::read(reader, document, Fields::start(None))).map_err(
            |fault| {
                let step = match fault.step {
                    Step::Convert => {
                        format!("failed to convert config file {quoted} to JSON, error: ")
                    }
                    Step::Unmarshal => format!("failed to unmarshal config file {quoted}, error: "),
                };
                teller.configuration(format!("{step}{}", fault.message), Some(fault.range))
            },
        )?;
        validate(reader, flags, &fields).map_err(|(message, range)| {
            teller.configuration(format!("config file {quoted} is invalid: {message}"), range)
        })?;
        let list = fields.list.unwrap_or_default();
        items.extend(list.into_iter().map(|item| (name, item)));
        link_local |= fields.link_local;
        link_local_v6 |= fields.link_local_v6;
        files.push(name.to_owned());
    }
    if reader == MasqueradeReader::Merger {
        return forwarded(items, files, link_local, link_local_v6);
    }
    if files.is_empty() {
        return Ok(defaults(flags.all_reserved_ranges, flags.enable_ipv6));
    }
    program(reader, flags, items, files, (link_local, link_local_v6))
}

/// What Cilium makes of the merger's one file; without it, its own defaults.
fn forwarded(
    items: Vec<(&str, Item)>,
    files: Vec<String>,
    link_local: bool,
    link_local_v6: bool,
) -> Result<Accepted, Rejected> {
    if files.is_empty() {
        return Ok(defaults(true, true));
    }
    let mut exempt = BTreeSet::new();
    let mut texts = BTreeSet::new();
    for (file, item) in items {
        let Some(cidr) = cidr::parse_prefix(&item.text).and_then(GoCidr::masked) else {
            let teller = Teller { reader: MasqueradeReader::Cilium, file: Some(file) };
            let message = format!("Failed to de-serialize json: Invalid CIDR {}", go::quote(&item.text));
            return Err(teller.configuration(message, Some(item.range)));
        };
        exempt.insert(cidr);
        texts.insert(item.text);
    }
    let config = MasqueradeConfig { exempt: exempt.into_iter().collect(), link_local, link_local_v6, ipv6: true };
    Ok(Accepted { config, texts: texts.into_iter().collect(), files, defaults: false })
}

/// The original agent: one file, laid over the defaults.
fn original(flags: &Flags, directory: &Opened<'_>) -> Result<Accepted, Rejected> {
    let reader = MasqueradeReader::Original;
    let teller = Teller { reader, file: Some(SINGLE_FILE) };
    let held = match single_file(directory) {
        Ok(None) => return Ok(defaults(flags.all_reserved_ranges, flags.enable_ipv6)),
        Ok(Some((held, _))) => held,
        Err(why) => return Err(teller.configuration(why, None)),
    };
    let start = Fields::start(Some(default_list(flags.all_reserved_ranges)));
    let fields = held
        .document()
        .and_then(|document| fields::read(reader, document, start))
        .map_err(|fault| teller.configuration(fault.message, Some(fault.range)))?;
    validate(reader, flags, &fields).map_err(|(message, range)| teller.configuration(message, range))?;
    let items = fields.list.unwrap_or_default().into_iter().map(|item| (SINGLE_FILE, item)).collect();
    program(reader, flags, items, vec![SINGLE_FILE.to_owned()], (fields.link_local, fields.link_local_v6))
}

/// Cilium: one file; nothing in it at all means the defaults.
fn cilium(directory: &Opened<'_>) -> Result<Accepted, Rejected> {
    let reader = MasqueradeReader::Cilium;
    if let Err(why) = directory.entries {
        let teller = Teller { reader, file: None };
        return Err(
            teller.configuration(format!("Failed to add \"{CONFIG_DIRECTORY}\" dir to fsnotify watcher: {why}"), None)
        );
    }
    let teller = Teller { reader, file: Some(SINGLE_FILE) };
    let held = match single_file(directory) {
        Ok(None | Some((_, []))) => return Ok(defaults(true, true)),
        Ok(Some((held, _))) => held,
        Err(why) => {
            return Err(teller.configuration(format!("Failed to read {CONFIG_DIRECTORY}/{SINGLE_FILE}: {why}"), None));
        }
    };
    let fields =
        held.document().and_then(|document| fields::read(reader, document, Fields::start(None))).map_err(|fault| {
            let step = match fault.step {
                Step::Convert => "Failed to convert to json: ",
                Step::Unmarshal => "Failed to de-serialize json: ",
            };
            teller.configuration(format!("{step}{}", fault.message), Some(fault.range))
        })?;
    let list = fields.list.unwrap_or_default();
    let exempt: BTreeSet<Cidr> =
        list.iter().filter_map(|item| cidr::parse_prefix(&item.text)).filter_map(GoCidr::masked).collect();
    let texts: BTreeSet<String> = exempt.iter().map(Cidr::to_string).collect();
    let config = MasqueradeConfig {
        exempt: exempt.into_iter().collect(),
        link_local: fields.link_local,
        link_local_v6: fields.link_local_v6,
        ipv6: true,
    };
    Ok(Accepted { config, texts: texts.into_iter().collect(), files: vec![SINGLE_FILE.to_owned()], defaults: false })
}

fn bytes_of<'a>(name: &str, entry: &'a DirectoryEntry) -> Result<&'a [u8], String> {
    match entry {
        DirectoryEntry::File(bytes) => Ok(bytes),
        DirectoryEntry::Directory => Err(format!("read {CONFIG_DIRECTORY}/{name}: is a directory")),
        DirectoryEntry::Unreadable(why) => Err(format!("open {CONFIG_DIRECTORY}/{name}: {why}")),
    }
}

/// The one file and its bytes; `None` if it is not there.
fn single_file<'a, 'b>(directory: &'b Opened<'a>) -> Result<Option<(&'b Held<'a>, &'a [u8])>, String> {
    match &directory.entries {
        Err("no such file or directory") => Ok(None),
        Err(why) => Err(format!("open {CONFIG_DIRECTORY}/{SINGLE_FILE}: {why}")),
        Ok(entries) => {
            entries.get(SINGLE_FILE).map(|held| Ok((&**held, bytes_of(SINGLE_FILE, held.entry)?))).transpose()
        }
    }
}

fn default_list(all_reserved: bool) -> &'static [&'static str] {
    if all_reserved { &RESERVED } else { &PRIVATE }
}

fn defaults(all_reserved: bool, ipv6: bool) -> Accepted {
    let mut texts: Vec<String> = default_list(all_reserved).iter().map(|text| (*text).to_owned()).collect();
    texts.sort();
    let exempt: BTreeSet<Cidr> = texts.iter().filter_map(|text| text.parse().ok()).collect();
    let config = MasqueradeConfig { exempt: exempt.into_iter().collect(), ipv6, ..MasqueradeConfig::default() };
    Accepted { config, texts, files: Vec::new(), defaults: true }
}

type Invalid = (String, Option<Range<usize>>);

/// The checks of one file: how many, then entry by entry that it parses, is aligned, and is of a family that is on.
fn validate(reader: MasqueradeReader, flags: &Flags, fields: &Fields) -> Result<(), Invalid> {
    let list = fields.list.as_deref().unwrap_or_default();
    let limit = match reader {
        MasqueradeReader::V2 => flags.max_entries,
        MasqueradeReader::Original => usize::try_from(fields.limit).unwrap_or(0),
        MasqueradeReader::Cilium | MasqueradeReader::Merger => usize::MAX,
    };
    if list.len() > limit {
        let count = list.len();
        let shown = if reader == MasqueradeReader::Original { fields.limit.to_string() } else { limit.to_string() };
        let message = format!(
            "the daemon can only accept up to {shown} CIDRs (excluding link-local), but got {count} CIDRs (excluding link local)"
        );
        return Err((message, list.get(limit).map(|item| item.range.clone())));
    }
    for item in list {
        entry(reader, flags, &item.text).map_err(|message| (message, Some(item.range.clone())))?;
    }
    Ok(())
}

/// The checks of one entry.
///
/// # Errors
/// In the agent's words.
pub(super) fn entry(reader: MasqueradeReader, flags: &Flags, text: &str) -> Result<(), String> {
    // Written only where something is wrong: lists are long.
    let quoted = || go::quote(text);
    let merger = reader == MasqueradeReader::Merger;
    let Some(cidr) = GoCidr::parse(text) else {
        let quoted = quoted();
        let separator = if merger { ':' } else { ',' };
        return Err(format!("CIDR {quoted} could not be parsed{separator} invalid CIDR address: {text}"));
    };
    if !cidr.is_aligned() {
        let (address, network) = (go::quote(&cidr.address_text()), go::quote(&cidr.network_text()));
        let quoted = quoted();
        let tail = if merger { ": ip not aligned to CIDR block" } else { "" };
        return Err(format!("CIDR {quoted} is not aligned to a CIDR block, ip: {address} network: {network}{tail}"));
    }
    if !merger && !flags.enable_ipv6 && cidr.is_v6() {
        return Err(format!(
            "ipv6 is not enabled, but ipv6 cidr {text} provided. Enable ipv6 using --enable-ipv6 agent flag"
        ));
    }
    Ok(())
}

/// Hands the rules to the kernel, IPv4 first.
fn program(
    reader: MasqueradeReader,
    flags: &Flags,
    items: Vec<(&str, Item)>,
    files: Vec<String>,
    (link_local, link_local_v6): (bool, bool),
) -> Result<Accepted, Rejected> {
    let stopped = |stage, file, message: String, range| Err(Teller { reader, file }.reject(stage, message, range));
    if flags.masq_chain.len() > MAX_CHAIN {
        let chain = &flags.masq_chain;
        let message = format!(
            "error creating chain {}: exit status 2: iptables: chain name `{chain}' too long (must be under 29 chars)",
            go::quote(chain)
        );
        return stopped(Stage::Rules, None, message, None);
    }
    let parsed = items.iter().filter_map(|(file, item)| Some((*file, item, GoCidr::parse(&item.text)?)));
    let parsed: Vec<(&str, &Item, GoCidr)> = parsed.collect();
    let mut exempt = Vec::with_capacity(parsed.len());
    let families = [(false, Stage::Rules, "iptables-restore"), (true, Stage::RulesV6, "ip6tables-restore")];
    for (v6, stage, program) in families {
        for (file, item, cidr) in parsed.iter().filter(|(.., cidr)| cidr.is_v6() == v6) {
            match cidr.programmed(&item.text) {
                Ok(cidr) => exempt.push(cidr),
                Err(mask) => {
                    let message = format!("exit status 2: {program}: invalid mask `{mask}' specified");
                    return stopped(stage, Some(file), message, Some(item.range.clone()));
                }
            }
        }
    }
    let texts = items.into_iter().map(|(_, item)| item.text).collect();
    let config = MasqueradeConfig { exempt: sorted(exempt), link_local, link_local_v6, ipv6: flags.enable_ipv6 };
    Ok(Accepted { config, texts: sorted(texts), files, defaults: false })
}

/// In order, each once.
fn sorted<T: Ord>(mut list: Vec<T>) -> Vec<T> {
    list.sort_unstable();
    list.dedup();
    list
}

#[cfg(test)]
pub(super) mod tests;
