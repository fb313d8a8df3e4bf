//! What nobody has established: the questions that answers name (`unk.…`), in words.

use causeway_model::facts::Limits;
use causeway_model::facts::gaps::{UNKNOWNS, Unknown};
use causeway_model::suggest;

/// One question: what is not known, what is done meanwhile, how to find out.
pub fn page(question: &Unknown) -> String {
    let Unknown { id, question, meanwhile, find_out } = question;
    let mut out = format!(
        "# {id}\nNo document that was read says: {question}.\n\n## What is done meanwhile\n{}.\n",
        capitalised(meanwhile)
    );
    out.push_str(&format!("\n## How to find out\n{}.\n", capitalised(find_out)));
    if let Some((_, name)) = meanwhile.split_once("overridable as ")
        && let Some(limit) = Limits::find(name)
    {
        let value = (limit.get)(&Limits::default());
        out.push_str(&format!(
            "\n## How to state what you found\n```yaml\nlimits: {{{name}: {value}}}   # {}\n```\n",
            limit.meaning.trim_end_matches('.')
        ));
    }
    out
}

/// Every question by its name.
pub fn list() -> String {
    let longest = UNKNOWNS.iter().map(|question| question.id.len()).max().unwrap_or(0);
    let mut out = "What nobody has established\n".to_owned();
    for Unknown { id, question, .. } in UNKNOWNS {
        out.push_str(&format!("  {id:longest$}  {}.\n", capitalised(question)));
    }
    out
}

/// The question a mistyped name was meant to be.
pub fn nearest(word: &str) -> Option<&'static str> {
    suggest::nearest(word, UNKNOWNS.iter().map(|question| question.id))
}

/// Sentences begin with a capital; what stands in back-ticks is left alone.
fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use causeway_model::facts::gaps::unknown;

    #[test]
    fn a_page_says_what_is_unknown_what_is_done_and_how_to_find_out() {
        let page = page(unknown("unk.windows-reserved").unwrap());
        assert!(page.starts_with("# unk.windows-reserved\nNo document that was read says: how many more addresses"));
        assert!(page.contains("## What is done meanwhile\nA tenth more; overridable as windowsReservedPercent.\n"));
        assert!(page.contains("## How to find out\nCount what a Windows node holds"));
        assert!(page.contains("limits: {windowsReservedPercent: 10}"), "{page}");
        assert!(!super::page(unknown("unk.agc-overlay").unwrap()).contains("limits:"));
    }

    #[test]
    fn names_are_found_though_mistyped() {
        assert_eq!(nearest("unk.windows-reserve"), Some("unk.windows-reserved"));
        assert_eq!(nearest("unk.banana"), None);
        assert_eq!(list().lines().count(), 1 + UNKNOWNS.len());
    }
}
