//! The agent's arguments, as Go's `flag` package reads them.

use super::go;
use super::reference::MAX_ENTRIES;
use causeway_model::masquerade::MasqueradeReader;

/// What an agent's arguments say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flags {
    /// `masq-chain`: the nat chain, both families.
    pub masq_chain: String,
    /// `nomasq-all-reserved-ranges`: a longer default list.
    pub all_reserved_ranges: bool,
    /// `enable-ipv6`
    pub enable_ipv6: bool,
    /// `resync-interval`, in seconds; 0 or less is a loop without a pause. Not of the original agent.
    pub resync_interval: i64,
    /// `random-fully`, of the original agent; always false for v2, which has no such flag.
    pub random_fully: bool,
    /// `v`: how much is logged.
    pub verbosity: i32,
    /// Entries per file that v2 takes. None of its flags sets this; a replacement of it may.
    pub max_entries: usize,
    /// Arguments after the first that is no flag: nobody reads them.
    pub unread: Vec<String>,
}

impl Flags {
    /// Without any argument.
    pub fn defaults(reader: MasqueradeReader) -> Flags {
        Flags {
            masq_chain: "IP-MASQ-AGENT".to_owned(),
            all_reserved_ranges: false,
            enable_ipv6: false,
            resync_interval: 60,
            random_fully: reader == MasqueradeReader::Original,
            verbosity: 0,
            max_entries: MAX_ENTRIES,
            unread: Vec::new(),
        }
    }
}

/// Why the program ends before it does anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FlagError {
    /// It prints this and its usage, and exits with status 2.
    Refused {
        /// The first line it prints.
        message: String,
        /// The argument, as its position in the list.
        at: usize,
    },
    /// Asked for help: it prints its usage and exits with status 0, to be started again.
    Help {
        /// The argument, as its position in the list.
        at: usize,
    },
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Bool,
    Int,
    Unsigned,
    /// A 32-bit decimal number (`v`) or a severity: read by its own rules.
    Level,
    Severity,
}

/// Flags of the logging library, which both agents take.
const LOGGING: &[(&str, Kind)] = &[
    ("add_dir_header", Kind::Bool),
    ("alsologtostderr", Kind::Bool),
    ("log_backtrace_at", Kind::Text),
    ("log_dir", Kind::Text),
    ("log_file", Kind::Text),
    ("log_file_max_size", Kind::Unsigned),
    ("logtostderr", Kind::Bool),
    ("one_output", Kind::Bool),
    ("skip_headers", Kind::Bool),
    ("skip_log_headers", Kind::Bool),
    ("stderrthreshold", Kind::Severity),
    ("v", Kind::Level),
    ("vmodule", Kind::Text),
];

fn own(reader: MasqueradeReader) -> &'static [(&'static str, Kind)] {
    match reader {
        MasqueradeReader::V2 => &[
            ("enable-ipv6", Kind::Bool),
            ("masq-chain", Kind::Text),
            ("nomasq-all-reserved-ranges", Kind::Bool),
            ("resync-interval", Kind::Int),
        ],
        MasqueradeReader::Original => &[
            ("enable-ipv6", Kind::Bool),
            ("masq-chain", Kind::Text),
            ("nomasq-all-reserved-ranges", Kind::Bool),
            ("random-fully", Kind::Bool),
            ("to-ports", Kind::Text),
        ],
        MasqueradeReader::Merger => &[("input", Kind::Text), ("output", Kind::Text), ("resync-interval", Kind::Int)],
        MasqueradeReader::Cilium => &[],
    }
}

/// Names of the flags an agent takes, its own before those of its logging library.
pub fn known(reader: MasqueradeReader) -> impl Iterator<Item = &'static str> {
    own(reader).iter().chain(LOGGING).map(|(name, _)| *name)
}

/// Whether a flag of an agent takes its value from the next argument when none stands behind `=`; `None` = it has no such flag.
pub fn takes_value(reader: MasqueradeReader, name: &str) -> Option<bool> {
    own(reader).iter().chain(LOGGING).find(|(known, _)| *known == name).map(|(_, kind)| *kind != Kind::Bool)
}

/// Reads an agent's arguments, without the name of the program. A flag is written with one dash or two, its value after
/// `=` or as the next argument; a boolean takes its value after `=` only. The last of several wins.
///
/// Cilium's options are another program's; whatever is given, its defaults come back.
///
/// # Errors
/// What ends the program: an unknown flag, a value of the wrong kind.
pub fn parse<S: AsRef<str>>(reader: MasqueradeReader, arguments: &[S]) -> Result<Flags, FlagError> {
    let mut flags = Flags::defaults(reader);
    if reader == MasqueradeReader::Cilium {
        return Ok(flags);
    }
    let mut rest = arguments.iter().map(S::as_ref).enumerate();
    while let Some((at, argument)) = rest.next() {
        let refused = |message: String| Err(FlagError::Refused { message, at });
        let body = match argument.strip_prefix('-') {
            None | Some("") => {
                flags.unread = arguments.iter().skip(at).map(|text| text.as_ref().to_owned()).collect();
                return Ok(flags);
            }
            Some("-") => {
                flags.unread = rest.map(|(_, text)| text.to_owned()).collect();
                return Ok(flags);
            }
            Some(one) => one.strip_prefix('-').unwrap_or(one),
        };
        if body.is_empty() || body.starts_with(['-', '=']) {
            return refused(format!("bad flag syntax: {argument}"));
        }
        let (name, value) = match body.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (body, None),
        };
        let Some((name, kind)) = own(reader).iter().chain(LOGGING).find(|(known, _)| *known == name).copied() else {
            if matches!(name, "help" | "h") {
                return Err(FlagError::Help { at });
            }
            return refused(format!("flag provided but not defined: -{name}"));
        };
        let value = match (kind, value) {
            (Kind::Bool, value) => value.unwrap_or("true"),
            (_, Some(value)) => value,
            (_, None) => match rest.next() {
                Some((_, value)) => value,
                None => return refused(format!("flag needs an argument: -{name}")),
            },
        };
        if let Err(because) = flags.set(name, kind, value) {
            let quoted = go::quote(value);
            return refused(match kind {
                Kind::Bool => format!("invalid boolean value {quoted} for -{name}: {because}"),
                _ => format!("invalid value {quoted} for flag -{name}: {because}"),
            });
        }
    }
    Ok(flags)
}

impl Flags {
    fn set(&mut self, name: &str, kind: Kind, value: &str) -> Result<(), String> {
        match kind {
            Kind::Text => {
                if name == "masq-chain" {
                    value.clone_into(&mut self.masq_chain);
                }
            }
            Kind::Bool => {
                let value = go::parse_bool(value).ok_or("parse error")?;
                match name {
                    "enable-ipv6" => self.enable_ipv6 = value,
                    "nomasq-all-reserved-ranges" => self.all_reserved_ranges = value,
                    "random-fully" => self.random_fully = value,
                    _ => {}
                }
            }
            Kind::Int | Kind::Unsigned => {
                let number = go::parse_int(value).map_err(|error| match error {
                    go::NumberError::Syntax => "parse error",
                    go::NumberError::Range => "value out of range",
                })?;
                if kind == Kind::Unsigned && number < 0 {
                    return Err("parse error".to_owned());
                }
                if name == "resync-interval" {
                    self.resync_interval = number;
                }
            }
            Kind::Level => {
                let digits = value.strip_prefix(['-', '+']).unwrap_or(value);
                let quoted = go::quote(value);
                if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                    return Err(format!("strconv.ParseInt: parsing {quoted}: invalid syntax"));
                }
                self.verbosity =
                    value.parse().map_err(|_| format!("strconv.ParseInt: parsing {quoted}: value out of range"))?;
            }
            Kind::Severity => {
                let is_name = ["INFO", "WARNING", "ERROR", "FATAL"].iter().any(|name| value.eq_ignore_ascii_case(name));
                if !is_name && value.parse::<i32>().is_err() {
                    return Err(format!("strconv.ParseInt: parsing {}: invalid syntax", go::quote(value)));
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use MasqueradeReader::{Merger, Original, V2};

    #[test]
    fn flags_are_read_as_go_reads_them() {
        let flags = parse(
            V2,
            &[
                "--v=2",
                "-resync-interval",
                "30",
                "--enable-ipv6",
                "-masq-chain=POD-NAT",
                "--nomasq-all-reserved-ranges=T",
            ],
        )
        .unwrap();
        let expected = Flags {
            masq_chain: "POD-NAT".into(),
            all_reserved_ranges: true,
            enable_ipv6: true,
            resync_interval: 30,
            verbosity: 2,
            ..Flags::defaults(V2)
        };
        assert_eq!(flags, expected);
        assert_eq!(parse::<&str>(V2, &[]).unwrap(), Flags::defaults(V2));
        assert!(!parse(V2, &["--enable-ipv6", "--enable-ipv6=false"]).unwrap().enable_ipv6, "the last one wins");
        assert!(!parse(Original, &["--random-fully=0"]).unwrap().random_fully);
        assert_eq!(parse(V2, &["--resync-interval=0x10"]).unwrap().resync_interval, 16);
        assert!(parse(Merger, &["--input", "/in", "--output=/out"]).is_ok());
        assert_eq!(takes_value(V2, "masq-chain"), Some(true));
        assert_eq!(takes_value(V2, "logtostderr"), Some(false));
        assert_eq!(takes_value(V2, "random-fully"), None);
    }

    #[test]
    fn a_boolean_takes_no_argument_after_a_space() {
        let flags = parse(V2, &["--enable-ipv6", "false", "--resync-interval=5"]).unwrap();
        assert!(flags.enable_ipv6);
        assert_eq!(flags.resync_interval, 60, "nothing after the first argument that is no flag is read");
        assert_eq!(flags.unread, ["false", "--resync-interval=5"]);
        assert_eq!(parse(V2, &["--", "--enable-ipv6"]).unwrap().unread, ["--enable-ipv6"]);
        assert_eq!(parse(V2, &["-"]).unwrap().unread, ["-"]);
    }

    #[test]
    fn what_ends_the_program() {
        for (reader, arguments, message, at) in [
            (V2, &["--v=2", "--random-fully"] as &[&str], "flag provided but not defined: -random-fully", 1),
            (V2, &["--version"], "flag provided but not defined: -version", 0),
            (V2, &["--Enable-IPv6"], "flag provided but not defined: -Enable-IPv6", 0),
            (V2, &["--enable-ipv6=maybe"], r#"invalid boolean value "maybe" for -enable-ipv6: parse error"#, 0),
            (V2, &["--resync-interval=60s"], r#"invalid value "60s" for flag -resync-interval: parse error"#, 0),
            (
                V2,
                &["--resync-interval=9223372036854775808"],
                r#"invalid value "9223372036854775808" for flag -resync-interval: value out of range"#,
                0,
            ),
            (V2, &["--resync-interval"], "flag needs an argument: -resync-interval", 0),
            (V2, &["---v=2"], "bad flag syntax: ---v=2", 0),
            (V2, &["--=2"], "bad flag syntax: --=2", 0),
            (
                V2,
                &["--v=high"],
                r#"invalid value "high" for flag -v: strconv.ParseInt: parsing "high": invalid syntax"#,
                0,
            ),
            (Original, &["--resync-interval=60"], "flag provided but not defined: -resync-interval", 0),
        ] {
            let expected = FlagError::Refused { message: message.to_owned(), at };
            assert_eq!(parse(reader, arguments), Err(expected), "{arguments:?}");
        }
        assert_eq!(parse(V2, &["-h"]), Err(FlagError::Help { at: 0 }));
    }
}
