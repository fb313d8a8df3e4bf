//! Running `iptables-save` and `iptables-restore`.
//!
//! The only programs the product runs, and only for the back end that shows its rules as an iptables chain. There are two kernels'
//! worth of iptables on one machine: rules of `iptables-nft` live in nf_tables, rules of `iptables-legacy` in tables of their own.

mod child;
mod detect;
mod error;

pub use causeway_dataplane::iptables::Variant;
pub use detect::detect;
pub use error::{IptablesError, IptablesFailure};

use causeway_addr::Family;
use child::Limits;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The pair of programs for one family and one variant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Iptables {
    /// The packets it is for.
    pub family: Family,
    /// Where its rules live.
    pub variant: Variant,
    /// `iptables-restore` of that kind.
    pub restore: PathBuf,
    /// `iptables-save` of that kind.
    pub save: PathBuf,
    /// What it says its version is: `1.8.9`; empty if it says none.
    pub version: String,
}

/// How `restore` goes about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restore {
    /// Whether tables that the text names lose the chains it does not name.
    pub flush: bool,
    /// How long to wait for the lock of x_tables, in whole seconds (legacy only; nf_tables has none).
    pub lock_seconds: u32,
    /// Only find out whether it would be accepted.
    pub test: bool,
}

impl Default for Restore {
    /// Other chains stay; five seconds for the lock, as Kubernetes' own programs wait.
    fn default() -> Self {
        Restore { flush: false, lock_seconds: 5, test: false }
    }
}

/// Beyond what is waited for the lock, a run takes milliseconds; with tens of thousands of rules seconds.
const RUN: Duration = Duration::from_secs(30);
const PROBE: Duration = Duration::from_secs(5);

impl Iptables {
    /// Looks for the programs of a family and variant on `PATH` and where systems keep them: by their full name
    /// (`ip6tables-legacy-restore`), else the plain ones (`ip6tables-restore`) if they say they are of that variant.
    ///
    /// # Errors
    ///
    /// [`IptablesFailure::Missing`].
    pub fn find(family: Family, variant: Variant) -> Result<Iptables, IptablesError> {
        Iptables::find_in(&folders(), family, variant)
    }

    /// The variant of the plain `iptables-restore`, which is what a person on the node gets.
    pub fn plain_variant(family: Family) -> Option<Variant> {
        let program = executable(&folders(), &format!("{}-restore", base(family)))?;
        version(&program).map(|(variant, _)| variant)
    }

    fn find_in(folders: &[PathBuf], family: Family, variant: Variant) -> Result<Iptables, IptablesError> {
        let base = base(family);
        let names = [format!("{base}-{variant}"), base.to_owned()];
        for name in &names {
            let pair = (executable(folders, &format!("{name}-restore")), executable(folders, &format!("{name}-save")));
            let (Some(restore), Some(save)) = pair else { continue };
            // A name may lie: `iptables-legacy-restore` of images that link both names to one program.
            if let Some((found, version)) = version(&restore)
                && found == variant
            {
                return Ok(Iptables { family, variant, restore, save, version });
            }
        }
        let program = names.map(|name| format!("{name}-restore")).join("` or `");
        Err(IptablesError { program, failure: IptablesFailure::Missing })
    }

    /// The rules of one table, as the program prints them. Asking the legacy program makes the kernel create its tables;
    /// [`legacy_tables`] tells whether they are there.
    ///
    /// # Errors
    ///
    /// See [`IptablesFailure`].
    pub fn save(&self, table: &str) -> Result<String, IptablesError> {
        let arguments = ["-t", table].map(OsString::from);
        child::run(&self.save, &arguments, "", Limits { time: RUN, bytes: 256 << 20 })
    }

    /// Applies text in the form of `iptables-save`: each table at once and wholly, or not at all.
    ///
    /// # Errors
    ///
    /// See [`IptablesFailure`].
    pub fn restore(&self, text: &str, how: Restore) -> Result<(), IptablesError> {
        let mut arguments = vec![OsString::from("-w"), OsString::from(how.lock_seconds.to_string())];
        if !how.flush {
            arguments.push("--noflush".into());
        }
        if how.test {
            arguments.push("--test".into());
        }
        let time = RUN.saturating_add(Duration::from_secs(how.lock_seconds.into()));
        child::run(&self.restore, &arguments, text, Limits { time, bytes: 1 << 20 }).map(|_| ())
    }
}

/// The tables of x_tables that exist in this network namespace for a family; none means that nobody uses the legacy programs.
/// Where the kernel does not have x_tables at all, or does not tell an ordinary user, there are none.
pub fn legacy_tables(family: Family) -> Vec<String> {
    std::fs::read_to_string(legacy_names(family)).unwrap_or_default().lines().map(str::to_owned).collect()
}

/// Whether this process is told which tables of x_tables there are; an ordinary user is not.
pub fn knows_legacy_tables(family: Family) -> bool {
    match std::fs::File::open(legacy_names(family)) {
        Ok(_) => true,
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    }
}

fn legacy_names(family: Family) -> &'static str {
    match family {
        Family::V4 => "/proc/thread-self/net/ip_tables_names",
        Family::V6 => "/proc/thread-self/net/ip6_tables_names",
    }
}

fn base(family: Family) -> &'static str {
    match family {
        Family::V4 => "iptables",
        Family::V6 => "ip6tables",
    }
}

/// Where programs are looked for: `PATH`, then the usual places, which the path of a service or an ordinary user may lack.
fn folders() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let usual = ["/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin", "/bin"].map(PathBuf::from);
    std::env::split_paths(&path).filter(|folder| folder.is_absolute()).chain(usual).collect()
}

fn executable(folders: &[PathBuf], name: &str) -> Option<PathBuf> {
    use std::os::unix::fs::PermissionsExt;
    let runs =
        |path: &PathBuf| path.metadata().is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0);
    folders.iter().map(|folder| folder.join(name)).find(runs)
}

/// What a program says it is.
fn version(program: &Path) -> Option<(Variant, String)> {
    let text = child::run(program, &["--version".into()], "", Limits { time: PROBE, bytes: 1 << 16 }).ok()?;
    Some(read_version(&text))
}

/// From `iptables-restore v1.8.9 (nf_tables)`. Before 1.8 there was one variant and no word about it.
fn read_version(text: &str) -> (Variant, String) {
    let variant = if text.contains("(nf_tables)") { Variant::Nft } else { Variant::Legacy };
    let number = text
        .split_whitespace()
        .find_map(|word| word.strip_prefix('v').filter(|rest| rest.starts_with(|first: char| first.is_ascii_digit())));
    (variant, number.unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests;
