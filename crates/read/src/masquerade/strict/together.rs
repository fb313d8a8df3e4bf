//! What is to be said of all files together.

use super::{RECONCILED_FILE, Strict};
use crate::masquerade::fields::{LINK_LOCAL, LINK_LOCAL_V6, LIST};
use crate::masquerade::reference::{Rejected, Stage};
use crate::masquerade::strict::Issue;
use causeway_addr::{Cidr, Family, PrefixMap};
use causeway_model::codes;
use causeway_model::finding::Severity;
use causeway_model::masquerade::MasqueradeReader;

impl Strict<'_> {
    /// Entries that another one says already.
    pub(super) fn redundant(&mut self) {
        let mut sorted: Vec<Cidr> = self.entries.iter().filter_map(|entry| entry.cidr).collect();
        sorted.sort_unstable();
        // Whatever covers a prefix covers all that sort in between, so one look at neighbours tells whether there is anything to find.
        if !sorted.iter().zip(sorted.iter().skip(1)).any(|(before, after)| before.covers(after)) {
            return;
        }
        let mut first: PrefixMap<usize> = PrefixMap::new();
        for (at, entry) in self.entries.iter().enumerate() {
            if let Some(cidr) = entry.cidr
                && first.get(&cidr).is_none()
            {
                first.insert(cidr, at);
            }
        }
        let mut found = Vec::new();
        for (at, entry) in self.entries.iter().enumerate() {
            let Some(cidr) = entry.cidr else { continue };
            let same = first.get(&cidr).copied().filter(|first| *first != at);
            let wider = || cidr.supernet().and_then(|above| first.longest_covering(&above)).map(|(_, at)| *at);
            let Some(other) = same.or_else(wider).and_then(|at| self.entries.get(at)) else {
                continue;
            };
            let relation = if same.is_some() { "stands" } else { "lies in" };
            let place = if other.file == entry.file { String::new() } else { format!(" in `{}`", other.file) };
            let message = if same.is_some() {
                format!("`{}` {relation} there already{place}", entry.text)
            } else {
                format!("`{}` {relation} `{}`{place}, which is exempt already", entry.text, other.text)
            };
            found.push((entry.file.clone(), entry.range.clone(), message));
        }
        // Nobody can shorten the file AKS keeps; what a user adds beside it can be.
        found.retain(|(file, ..)| file != RECONCILED_FILE);
        for (file, range, message) in found {
            self.push(
                codes::MASQ_ENTRY_REDUNDANT,
                &file,
                Some(range),
                message,
                "remove it; it changes nothing".to_owned(),
            );
        }
    }

    /// A boolean that is false here and true there is true.
    pub(super) fn contradictions(&mut self) {
        for (field, said) in [
            (LINK_LOCAL, std::mem::take(&mut self.link_local)),
            (LINK_LOCAL_V6, std::mem::take(&mut self.link_local_v6)),
        ] {
            let Some(yes) = said.iter().find(|said| said.value) else {
                continue;
            };
            for no in said.iter().filter(|said| !said.value && said.file != yes.file) {
                let message = format!("`{field}: false` has no effect: `{}` says true", yes.file);
                let help = if yes.file == RECONCILED_FILE {
                    format!("booleans of all files are ORed, and AKS keeps `{}`; remove `{field}` here", yes.file)
                } else {
                    format!("booleans of all files are ORed; to have false, remove `{field}` from `{}`", yes.file)
                };
                self.push(codes::MASQ_FILES_CONTRADICT, &no.file, Some(no.range.clone()), message, help);
            }
        }
    }

    /// Files that leave the list empty, which means that everything is translated.
    pub(super) fn empty(&mut self) {
        let broken =
            self.issues.iter().any(|issue| matches!(issue.code, codes::MASQ_CONFIG_REJECTED | codes::MASQ_ITEM_NULL));
        let has_v4 = self.entries.iter().any(|entry| entry.cidr.is_some_and(|cidr| cidr.family() == Family::V4));
        if broken || has_v4 {
            return;
        }
        let only_v6 = !self.entries.is_empty();
        let keeps_defaults = self.reader == MasqueradeReader::Original;
        for (file, list) in std::mem::take(&mut self.lists) {
            let (what, range) = match &list {
                Some(range) if only_v6 => {
                    (format!("`{LIST}` has IPv6 ranges only, so every IPv4 packet"), Some(range.clone()))
                }
                Some(range) => (format!("`{LIST}` is empty, so every packet"), Some(range.clone())),
                // The original agent keeps its defaults unless the key stands there with nothing.
                None if keeps_defaults => continue,
                None => (format!("`{file}` has no `{LIST}`, so every packet"), None),
            };
            let message = format!("{what} that leaves the node is translated, those between pods included");
            let help = "list the ranges pods reach with their own address; to have the built-in list, remove the file"
                .to_owned();
            let issue = self.push(codes::MASQ_LIST_EMPTY, &file, range, message, help);
            issue.evidence.push("the built-in list (RFC 1918) is used only while there is no file".to_owned());
        }
    }

    /// Whatever the agent refuses that has not been said yet.
    pub(super) fn what_is_left(&mut self, rejected: &Rejected) {
        let refused = |code| matches!(code, codes::MASQ_CONFIG_REJECTED | codes::MASQ_ITEM_NULL);
        let logged = format!("the agent logs: {}", rejected.logged());
        let said = self.issues.iter().any(|issue| refused(issue.code));
        match self
            .issues
            .iter_mut()
            .find(|issue| refused(issue.code) && issue.file == rejected.file && issue.range == rejected.range)
        {
            Some(issue) => {
                issue.evidence.retain(|line| !line.starts_with("the agent logs: "));
                issue.evidence.insert(0, logged);
            }
            None if said => {}
            None => self.issues.push(Issue {
                code: codes::MASQ_CONFIG_REJECTED,
                severity: Severity::Error,
                file: rejected.file.clone(),
                range: rejected.range.clone(),
                message: format!("the configuration is refused: {}", rejected.message),
                help: help_for(rejected),
                evidence: vec![logged],
            }),
        }
    }
}

/// What to do about a refusal that no single entry explains.
fn help_for(rejected: &Rejected) -> String {
    match (&rejected.file, rejected.stage) {
        (None, Stage::Configuration) => "mount a volume at `/etc/config`; an empty one is enough".to_owned(),
        (None, _) => "give the chain a name of at most 28 characters".to_owned(),
        (Some(_), _) => "correct what the message names".to_owned(),
    }
}
