//! What other programs say the kernel holds. They are looked at by tests only; the product runs without them.

use crate::trial::CannotProve;
use std::path::PathBuf;
use std::process::Command;

/// A program that knows the kernel from its own side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Oracle {
    path: PathBuf,
}

impl Oracle {
    /// Looks for `nft`, `iptables-save`, `conntrack`, ...
    ///
    /// # Errors
    ///
    /// It is not installed.
    #[expect(clippy::disallowed_methods, reason = "where programs lie is asked of the environment")]
    pub fn find(name: &str) -> Result<Oracle, CannotProve> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let usual = ["/usr/sbin", "/sbin", "/usr/bin"].map(PathBuf::from);
        let mut folders = std::env::split_paths(&path).chain(usual);
        let found = folders.find_map(|folder| Some(folder.join(name)).filter(|path| path.is_file()));
        found.map(|path| Oracle { path }).ok_or_else(|| CannotProve(format!("`{name}` is not installed")))
    }

    /// Runs it in this thread's network namespace; gives what it prints.
    ///
    /// # Panics
    ///
    /// When it fails: a test asked it for something it should know.
    #[expect(clippy::panic, reason = "a test fails by panicking")]
    pub fn ask(&self, arguments: &[&str]) -> String {
        match self.attempt(arguments) {
            Ok(said) => said,
            Err(why) => panic!("{} {}: {why}", self.path.display(), arguments.join(" ")),
        }
    }

    /// As [`Oracle::ask`], for what may fail.
    ///
    /// # Errors
    ///
    /// What it printed to the error stream.
    #[expect(clippy::disallowed_methods, reason = "an oracle is a program")]
    pub fn attempt(&self, arguments: &[&str]) -> Result<String, String> {
        let output =
            Command::new(&self.path).args(arguments).env("LC_ALL", "C").output().map_err(|error| error.to_string())?;
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }

    /// As [`Oracle::ask`], for a program that reads a script from a file: `nft -f`.
    ///
    /// # Errors
    ///
    /// What it printed to the error stream, or that the script could not be written to a pipe.
    #[expect(clippy::disallowed_methods, reason = "an oracle is a program")]
    pub fn feed(&self, arguments: &[&str], text: &str) -> Result<String, String> {
        use std::io::Write;
        use std::process::Stdio;
        let mut child = Command::new(&self.path)
            .args(arguments)
            .env("LC_ALL", "C")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| error.to_string())?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(text.as_bytes()).map_err(|error| error.to_string())?;
        }
        let output = child.wait_with_output().map_err(|error| error.to_string())?;
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }
}

/// The rules of a chain in the text of `iptables-save`, without counters, in order.
pub fn rules_of(saved: &str, chain: &str) -> Vec<String> {
    let start = format!("-A {chain} ");
    saved.lines().filter(|line| line.starts_with(&start) || *line == start.trim_end()).map(str::to_owned).collect()
}

/// The chains that the text of `iptables-save` declares, in order.
pub fn chains_of(saved: &str) -> Vec<String> {
    let declared = saved.lines().filter_map(|line| line.strip_prefix(':'));
    declared.filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

/// One set of nf_tables, as `nft -j` prints it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedSet {
    /// `ip`, `ip6` or `inet`.
    pub family: String,
    /// Its table.
    pub table: String,
    /// Its name.
    pub name: String,
    /// Its elements, where they are single values, in the printed order.
    pub elements: Vec<String>,
}

/// The sets in what `nft -j list ruleset` (or `list table`) prints.
///
/// # Errors
///
/// Text that is not that.
pub fn sets_of(json: &str) -> Result<Vec<ListedSet>, String> {
    let listing: serde_json::Value = serde_json::from_str(json).map_err(|error| error.to_string())?;
    let objects = listing.get("nftables").and_then(|list| list.as_array()).ok_or("no list `nftables`")?;
    let text =
        |of: &serde_json::Value, key: &str| of.get(key).and_then(|value| value.as_str()).unwrap_or_default().to_owned();
    let set = |set: &serde_json::Value| ListedSet {
        family: text(set, "family"),
        table: text(set, "table"),
        name: text(set, "name"),
        elements: set
            .get("elem")
            .and_then(|elements| elements.as_array())
            .map(|elements| elements.iter().filter_map(|one| one.as_str().map(str::to_owned)).collect())
            .unwrap_or_default(),
    };
    Ok(objects.iter().filter_map(|object| object.get("set")).map(set).collect())
}

/// One connection, as `conntrack -L` prints it: the addresses and ports of its first packet, and of the answer that is expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tracked {
    /// The protocol's name: `tcp`, `udp`, ...
    pub protocol: String,
    /// `src`, `dst`, `sport`, `dport` of the first packet; what the protocol does not have is empty.
    pub original: [String; 4],
    /// The same of the answer: `dst` is the source the other side saw.
    pub reply: [String; 4],
}

/// The connections in what `conntrack -L` prints.
pub fn connections_of(listing: &str) -> Vec<Tracked> {
    let connection = |line: &str| {
        let mut sides = [[const { String::new() }; 4], [const { String::new() }; 4]];
        let mut side = None;
        for word in line.split_whitespace() {
            let Some((key, value)) = word.split_once('=') else { continue };
            let Some(at) = ["src", "dst", "sport", "dport"].iter().position(|known| *known == key) else { continue };
            if at == 0 {
                side = Some(side.map_or(0, |side: usize| side + 1));
            }
            if let Some(place) = side.and_then(|side| sides.get_mut(side)).and_then(|side| side.get_mut(at)) {
                value.clone_into(place);
            }
        }
        let [original, reply] = sides;
        Some(Tracked { protocol: line.split_whitespace().next()?.to_owned(), original, reply })
    };
    listing.lines().filter(|line| line.contains("src=")).filter_map(connection).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn saved_rules_are_told_apart_by_chain() {
        let saved = "*nat\n:A - [0:0]\n:AB - [0:0]\n-A A -j AB\n-A AB -j RETURN\n-A A -j MASQUERADE\nCOMMIT\n";
        assert_eq!(chains_of(saved), ["A", "AB"]);
        assert_eq!(rules_of(saved, "A"), ["-A A -j AB", "-A A -j MASQUERADE"]);
        assert_eq!(rules_of(saved, "AB"), ["-A AB -j RETURN"]);
    }

    #[test]
    fn sets_are_read() {
        let json = r#"{"nftables": [{"metainfo": {"version": "1"}}, {"table": {"family": "ip", "name": "t"}},
            {"set": {"family": "ip", "name": "s", "table": "t", "type": "ipv4_addr", "elem": ["10.0.0.0", "11.0.0.0"]}},
            {"set": {"family": "ip6", "name": "empty", "table": "t", "type": "ipv6_addr"}}]}"#;
        let sets = sets_of(json).unwrap();
        assert_eq!((sets[0].name.as_str(), sets[0].elements.len()), ("s", 2));
        assert_eq!((sets[1].family.as_str(), sets[1].elements.len()), ("ip6", 0));
        assert!(sets_of("{}").is_err() && sets_of("nft").is_err());
    }

    #[test]
    fn connections_are_read() {
        let listing = "udp      17 29 src=10.244.1.7 dst=8.8.8.8 sport=20001 dport=30000 [UNREPLIED] src=8.8.8.8 dst=10.224.0.4 sport=30000 dport=53712 mark=0 use=1\n\
            unknown  253 599 src=10.244.1.7 dst=8.8.8.8 [UNREPLIED] src=8.8.8.8 dst=10.224.0.4 mark=0 use=1\n";
        let found = connections_of(listing);
        assert_eq!(found[0].original, ["10.244.1.7", "8.8.8.8", "20001", "30000"]);
        assert_eq!(found[0].reply, ["8.8.8.8", "10.224.0.4", "30000", "53712"]);
        assert_eq!(
            (found[1].protocol.as_str(), found[1].reply[1].as_str(), found[1].reply[2].as_str()),
            ("unknown", "10.224.0.4", "")
        );
    }

    #[test]
    fn what_is_not_installed_is_named() {
        let missing = Oracle::find("no-such-oracle").unwrap_err();
        assert_eq!(missing.0, "`no-such-oracle` is not installed");
    }
}
