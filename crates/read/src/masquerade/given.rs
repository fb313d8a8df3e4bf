//! Files that were given as a masquerade configuration: the agent's own, or documents about a cluster that carry them.

use super::reference::{Directory, SINGLE_FILE, takes_part};
use crate::kind::{Kind, Sniffed, sniff};
use crate::load::Input;
use crate::tree::{self, Limits};
use causeway_model::masquerade::MasqueradeReader;
use causeway_model::source::FileId;

/// The configuration directory the inputs are, when they are files as the agents read them. `None` when they are documents about a cluster:
/// a design, manifests.
///
/// One file that was named is the agent's file whatever its name is. Of a folder's files those count that an agent would read.
pub fn plain(inputs: &[Input]) -> Option<Directory> {
    if let [Input { found: false, name, bytes, .. }] = inputs {
        let name = base(name);
        let name = if takes_part(MasqueradeReader::V2, name) { name } else { SINGLE_FILE };
        return is_plain(bytes).then(|| Directory::of([(name, bytes.as_slice())]));
    }
    let files: Vec<&Input> = inputs
        .iter()
        .filter(|input| takes_part(MasqueradeReader::V2, base(&input.name)) && is_plain(&input.bytes))
        .collect();
    let directory = || Directory::of(files.iter().map(|input| (base(&input.name), input.bytes.as_slice())));
    (!files.is_empty()).then(directory)
}

fn base(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// What is no document of a known kind is for the agent to judge, even if it is nothing at all.
fn is_plain(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return true };
    let documents = tree::parse(text, FileId(0), &Limits::default()).unwrap_or_default();
    documents.iter().all(|document| matches!(sniff(document), Sniffed::Unknown | Sniffed::Kind(Kind::Masquerade)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(name: &str, text: &str, found: bool) -> Input {
        Input { name: name.to_owned(), bytes: text.into(), kind: None, found }
    }

    fn names(directory: Option<Directory>) -> Option<Vec<String>> {
        match directory? {
            Directory::Entries(entries) => Some(entries.into_keys().collect()),
            Directory::Unlistable(_) => None,
        }
    }

    const LIST: &str = "nonMasqueradeCIDRs: [10.0.0.0/8]\n";
    const MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {ip-masq-agent: ''}\n";

    #[test]
    fn a_named_file_is_the_agents_whatever_its_name() {
        for (name, text, wanted) in [
            ("a/list.yaml", LIST, Some("ip-masq-agent")),
            ("ip-masq-two", LIST, Some("ip-masq-two")),
            ("empty", "", Some("ip-masq-agent")),
            ("broken", "{", Some("ip-masq-agent")),
            ("ip-masq-agent.yaml", MAP, None),
            ("design.yaml", "causeway: 1\n", None),
        ] {
            let found = names(plain(&[input(name, text, false)]));
            assert_eq!(found, wanted.map(|name| vec![name.to_owned()]), "{name}");
        }
    }

    #[test]
    fn of_a_folder_the_files_count_that_an_agent_reads() {
        let folder =
            [input("f/README.md", "hello", true), input("f/ip-masq-b", LIST, true), input("f/ip-masq-a", "", true)];
        assert_eq!(names(plain(&folder)).unwrap(), ["ip-masq-a", "ip-masq-b"]);
        assert_eq!(names(plain(&[input("f/ip-masq-agent-config.yaml", MAP, true)])), None);
    }
}
