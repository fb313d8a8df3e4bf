//! The command line as Go's `flag` package reads it, so that the arguments of the agent this one replaces stay valid: one dash or two,
//! the value behind `=` or as the next argument, a boolean's value behind `=` only, the last of several wins.
//!
//! What the flags are is said once, to clap; here they only get the one spelling clap takes.

use causeway_model::masquerade::MasqueradeReader;
use causeway_read::masquerade::takes_value;
use clap::{Arg, Command};

/// Arguments in one spelling.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Spelled {
    /// Every flag as `--name=value`, in order.
    pub(crate) flags: Vec<String>,
    /// Those of them that ip-masq-agent-v2 knows too.
    pub(crate) reference: Vec<String>,
    /// Arguments from the first that is no flag on.
    pub(crate) unread: Vec<String>,
}

/// Why there is nothing to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ended {
    /// Help was asked for.
    Help,
    /// The version was asked for.
    Version,
    /// The first line to print, in Go's words.
    Refused(String),
}

/// Gives arguments one spelling. `command` says which flags there are; one that may stand without a value is a boolean.
pub(crate) fn spell(command: &Command, arguments: &[String]) -> Result<Spelled, Ended> {
    let mut spelled = Spelled::default();
    let mut rest = arguments.iter().enumerate();
    while let Some((at, argument)) = rest.next() {
        let body = match argument.strip_prefix('-') {
            None | Some("") => {
                spelled.unread = arguments.iter().skip(at).cloned().collect();
                break;
            }
            Some("-") => {
                spelled.unread = rest.map(|(_, text)| text.clone()).collect();
                break;
            }
            Some(one) => one.strip_prefix('-').unwrap_or(one),
        };
        if body.is_empty() || body.starts_with(['-', '=']) {
            return Err(Ended::Refused(format!("bad flag syntax: {argument}")));
        }
        let (name, value) = match body.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (body, None),
        };
        match name {
            "help" | "h" => return Err(Ended::Help),
            "version" | "V" => return Err(Ended::Version),
            _ => {}
        }
        let known = takes_value(MasqueradeReader::V2, name);
        let Some(needs_value) = known.or_else(|| own(command, name).map(|flag| !may_stand_alone(flag))) else {
            return Err(Ended::Refused(format!("flag provided but not defined: -{name}")));
        };
        let value = match (needs_value, value) {
            (_, Some(value)) => value,
            (false, None) => "true",
            (true, None) => match rest.next() {
                Some((_, value)) => value,
                None => return Err(Ended::Refused(format!("flag needs an argument: -{name}"))),
            },
        };
        let flag = format!("--{name}={value}");
        if known.is_some() {
            spelled.reference.push(flag.clone());
        }
        spelled.flags.push(flag);
    }
    Ok(spelled)
}

fn own<'a>(command: &'a Command, name: &str) -> Option<&'a Arg> {
    command.get_arguments().find(|flag| flag.get_long() == Some(name))
}

fn may_stand_alone(flag: &Arg) -> bool {
    flag.get_num_args().is_some_and(|count| count.min_values() == 0)
}

/// A boolean as Go's `strconv.ParseBool` reads it.
pub(crate) fn boolean(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Ok(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Ok(false),
        _ => Err("not a boolean: write `true` or `false`".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::masquerade::options::command;

    fn spelled(arguments: &[&str]) -> Result<Spelled, Ended> {
        let arguments: Vec<String> = arguments.iter().map(|text| (*text).to_owned()).collect();
        spell(&command(), &arguments)
    }

    #[test]
    fn every_spelling_of_go_is_one() {
        for (arguments, flags) in [
            (&["-v=2"] as &[&str], &["--v=2"] as &[&str]),
            (&["--v", "2"], &["--v=2"]),
            (&["-masq-chain", "X", "--masq-chain=Y"], &["--masq-chain=X", "--masq-chain=Y"]),
            (&["-enable-ipv6"], &["--enable-ipv6=true"]),
            (&["--enable-ipv6=F"], &["--enable-ipv6=F"]),
            (&["--resync-interval", "-5"], &["--resync-interval=-5"]),
            (&["--masq-chain="], &["--masq-chain="]),
            (&["-logtostderr", "--vmodule=a=2,b=3"], &["--logtostderr=true", "--vmodule=a=2,b=3"]),
            (&["--once", "-strict=0"], &["--once=true", "--strict=0"]),
            (&["-config-dir", "/x"], &["--config-dir=/x"]),
        ] {
            let spelled = spelled(arguments).unwrap();
            assert_eq!(spelled.flags, flags, "{arguments:?}");
            assert!(spelled.unread.is_empty(), "{arguments:?}");
        }
    }

    #[test]
    fn what_is_no_flag_ends_them() {
        let spelled = spelled(&["--enable-ipv6", "false", "--v=2"]).unwrap();
        assert_eq!(spelled.flags, ["--enable-ipv6=true"]);
        assert_eq!(spelled.reference, ["--enable-ipv6=true"]);
        assert_eq!(spelled.unread, ["false", "--v=2"]);
        assert_eq!(super::tests::spelled(&["--", "--v=2"]).unwrap().unread, ["--v=2"]);
    }

    #[test]
    fn only_flags_of_the_reference_go_to_its_reader() {
        let spelled = spelled(&["--v=2", "--random-fully=false", "--once"]).unwrap();
        assert_eq!(spelled.reference, ["--v=2"]);
    }

    #[test]
    fn refusals_are_in_gos_words() {
        for (arguments, because) in [
            (&["--nonsense"] as &[&str], "flag provided but not defined: -nonsense"),
            (&["-n=1"], "flag provided but not defined: -n"),
            (&["---v=2"], "bad flag syntax: ---v=2"),
            (&["--=2"], "bad flag syntax: --=2"),
            (&["--masq-chain"], "flag needs an argument: -masq-chain"),
            (&["--Once"], "flag provided but not defined: -Once"),
        ] {
            assert_eq!(spelled(arguments), Err(Ended::Refused(because.to_owned())), "{arguments:?}");
        }
        assert_eq!(spelled(&["-h"]), Err(Ended::Help));
        assert_eq!(spelled(&["--version"]), Err(Ended::Version));
    }
}
