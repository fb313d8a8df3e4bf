//! One rule, as iptables writes it.

use causeway_addr::Cidr;
use std::fmt;
use std::net::IpAddr;

/// A rule: the arguments after `-A CHAIN`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The arguments, without quotes.
    pub arguments: Vec<String>,
}

/// What a rule says, as far as it is understood.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Meaning {
    /// Packets from there; `None` = from anywhere.
    pub source: Option<Cidr>,
    /// Packets to there; `None` = to anywhere.
    pub destination: Option<Cidr>,
    /// Packets whose destination is no address of this machine.
    pub not_local: bool,
    /// The comment.
    pub comment: Option<String>,
    /// What is done.
    pub target: Option<Target>,
    /// Everything else it says; a rule with such conditions is never one of ours.
    pub others: Vec<String>,
}

/// What a rule does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// `-j RETURN`
    Return,
    /// `-j ACCEPT`
    Accept,
    /// `-j DROP`
    Drop,
    /// `-j MASQUERADE`
    Masquerade {
        /// With `--random-fully`.
        random_fully: bool,
    },
    /// `-j CHAIN`, or an extension of that name.
    Chain(String),
    /// `-g CHAIN`
    Goto(String),
}

impl Rule {
    /// A rule in the order `iptables-save` writes one: addresses, the comment among the other matches, the target.
    pub(super) fn new<'a>(
        addresses: impl IntoIterator<Item = (&'a str, &'a Cidr)>,
        matches: &[&str],
        comment: &str,
        target: &[&str],
    ) -> Rule {
        let mut arguments: Vec<String> = Vec::new();
        for (option, cidr) in addresses {
            // What every packet has is no condition, and is not printed.
            if cidr.prefix_len() > 0 {
                arguments.extend([option.to_owned(), cidr.to_string()]);
            }
        }
        arguments.extend(["-m", "comment", "--comment", comment].map(str::to_owned));
        arguments.extend(matches.iter().chain(target).map(|text| (*text).to_owned()));
        Rule { arguments }
    }

    /// What it says.
    pub fn meaning(&self) -> Meaning {
        let mut meaning = Meaning::default();
        let mut rest = self.arguments.as_slice();
        loop {
            let before = rest.len();
            rest = match rest {
                [] => return meaning,
                [option, value, rest @ ..] if option == "-s" && meaning.source.is_none() && prefix(value).is_some() => {
                    meaning.source = prefix(value).flatten();
                    rest
                }
                [option, value, rest @ ..]
                    if option == "-d" && meaning.destination.is_none() && prefix(value).is_some() =>
                {
                    meaning.destination = prefix(value).flatten();
                    rest
                }
                [m, comment, option, value, rest @ ..]
                    if m == "-m" && comment == "comment" && option == "--comment" && meaning.comment.is_none() =>
                {
                    meaning.comment = Some(value.clone());
                    rest
                }
                [m, addrtype, not, option, value, rest @ ..]
                    if m == "-m"
                        && addrtype == "addrtype"
                        && not == "!"
                        && option == "--dst-type"
                        && value == "LOCAL"
                        && !rest.first().is_some_and(|next| next.starts_with("--") || next == "!") =>
                {
                    meaning.not_local = true;
                    rest
                }
                [j, target, option] if j == "-j" && target == "MASQUERADE" && option == "--random-fully" => {
                    meaning.target = Some(Target::Masquerade { random_fully: true });
                    &[]
                }
                [j, target] if j == "-j" => {
                    meaning.target = Some(match target.as_str() {
                        "RETURN" => Target::Return,
                        "ACCEPT" => Target::Accept,
                        "DROP" => Target::Drop,
                        "MASQUERADE" => Target::Masquerade { random_fully: false },
                        chain => Target::Chain(chain.to_owned()),
                    });
                    &[]
                }
                [g, target] if g == "-g" => {
                    meaning.target = Some(Target::Goto(target.clone()));
                    &[]
                }
                [other, rest @ ..] => {
                    meaning.others.push(other.clone());
                    rest
                }
            };
            debug_assert!(rest.len() < before, "every step takes an argument");
        }
    }

    /// The chain it leads to, whatever else it says.
    pub(super) fn leads_to(&self) -> Option<&str> {
        self.arguments.windows(2).find_map(|pair| match pair {
            [option, chain] if option == "-j" || option == "-g" => Some(chain.as_str()),
            _ => None,
        })
    }
}

/// A prefix or address; `Some(None)` = every address. `None` = it is none.
fn prefix(text: &str) -> Option<Option<Cidr>> {
    let cidr = text.parse::<Cidr>().ok().or_else(|| text.parse::<IpAddr>().ok().map(Cidr::host))?;
    Some((cidr.prefix_len() > 0).then_some(cidr))
}

impl fmt::Display for Rule {
    /// The arguments as `iptables-save` writes them and `iptables-restore` reads them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, argument) in self.arguments.iter().enumerate() {
            if at > 0 {
                f.write_str(" ")?;
            }
            // `!` stands alone as a word of its own.
            let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '\\' | '\'');
            if !argument.is_empty() && argument.chars().all(plain) {
                f.write_str(argument)?;
                continue;
            }
            f.write_str("\"")?;
            for c in argument.chars() {
                if matches!(c, '"' | '\\' | '\'') {
                    f.write_str("\\")?;
                }
                write!(f, "{c}")?;
            }
            f.write_str("\"")?;
        }
        Ok(())
    }
}
