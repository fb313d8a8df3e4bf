//! The merged configuration as one file, for a data plane that reads one: Cilium's `ip-masq-agent`.

use causeway_model::masquerade::MasqueradeConfig;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// The name Cilium looks for.
const FILE: &str = "ip-masq-agent";

/// The file's text: JSON, with the keys every reader knows. Never empty, because an empty file means Cilium's own defaults.
pub(crate) fn text(config: &MasqueradeConfig) -> String {
    let exempt: Vec<String> = config.exempt.iter().map(ToString::to_string).collect();
    let mut text = line(&exempt, config);
    text.push('\n');
    text
}

/// A configuration as one line of JSON, its keys in the order the original logs them in.
pub(crate) fn line(exempt: &[String], config: &MasqueradeConfig) -> String {
    let (exempt, link_local, link_local_v6) = (serde_json::json!(exempt), config.link_local, config.link_local_v6);
    format!(r#"{{"nonMasqueradeCIDRs":{exempt},"masqLinkLocal":{link_local},"masqLinkLocalIPv6":{link_local_v6}}}"#)
}

/// Where the file goes: a folder gets it under the name Cilium looks for.
pub(crate) fn place(path: &Path) -> PathBuf {
    if path.is_dir() { path.join(FILE) } else { path.to_owned() }
}

/// Writes the file whole or not at all, and only if it would change. Gives whether it did.
///
/// # Errors
/// What the operating system says; what was there stays.
pub(crate) fn write(path: &Path, text: &str) -> std::io::Result<bool> {
    if std::fs::read(path).is_ok_and(|there| there == text.as_bytes()) {
        return Ok(false);
    }
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".new");
    let new = path.with_file_name(name);
    let written = File::create(&new).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    match written.and_then(|()| std::fs::rename(&new, path)) {
        Ok(()) => Ok(true),
        Err(error) => {
            // What is half written must not be left for the next one to trip over; the first error is the one to tell.
            let _ = std::fs::remove_file(&new);
            Err(error)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use causeway_model::masquerade::MasqueradeReader;
    use causeway_read::masquerade::{Directory, Flags, reference};

    fn config(exempt: &[&str], link_local: bool) -> MasqueradeConfig {
        let exempt = exempt.iter().map(|text| text.parse().unwrap()).collect();
        MasqueradeConfig { exempt, link_local, link_local_v6: true, ipv6: true }
    }

    #[test]
    fn cilium_reads_what_was_meant() {
        for config in [config(&["10.0.0.0/8", "fd00::/8"], false), config(&[], true)] {
            let directory = Directory::of([(FILE, text(&config))]);
            let flags = Flags::defaults(MasqueradeReader::Cilium);
            let read = reference(MasqueradeReader::Cilium, &flags, &directory).unwrap();
            assert_eq!(read.config, config);
            assert!(!read.defaults);
        }
    }

    #[test]
    fn a_file_is_written_once_and_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = place(folder.path());
        assert_eq!(path, folder.path().join(FILE));
        assert!(write(&path, "a\n").unwrap());
        assert!(!write(&path, "a\n").unwrap());
        assert!(write(&path, "b\n").unwrap());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "b\n");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn what_cannot_be_written_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("is/not/there");
        assert!(write(&path, "a\n").is_err());
        assert!(!path.exists());
    }
}
