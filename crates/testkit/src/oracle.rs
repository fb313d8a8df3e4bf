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
    fn what_is_not_installed_is_named() {
        let missing = Oracle::find("no-such-oracle").unwrap_err();
        assert_eq!(missing.0, "`no-such-oracle` is not installed");
    }
}
