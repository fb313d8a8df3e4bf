//! Forms of output that the Azure command line prints for people, and that people save by mistake.

/// Where a text shows that it is one of them, and what it is.
pub(super) fn other_output(text: &str) -> Option<(usize, &'static str)> {
    let start = text.len() - text.trim_start().len();
    let colour = text.get(start..).filter(|rest| rest.starts_with("\u{1b}["));
    if colour.is_some() {
        return Some((start, "coloured, as `-o jsonc` prints it for a terminal"));
    }
    is_table(text).then_some((start, "a table, as `-o table` prints it: most of what there was is left out of it"))
}

/// A row of titles apart from each other, and dashes below. Three dashes alone are how YAML begins a document.
fn is_table(text: &str) -> bool {
    let mut lines = text.trim_start().lines();
    let (Some(titles), Some(rule)) = (lines.next(), lines.next().map(str::trim)) else { return false };
    let columns = titles.split("  ").filter(|title| !title.trim().is_empty()).count();
    let dashes = !rule.is_empty() && rule.bytes().all(|byte| matches!(byte, b'-' | b' '));
    let plain = !titles.contains([':', '{', '[', '"', '#']);
    // A table of one column has its rule as long as what is below the title.
    dashes && plain && rule != "---" && rule.len() > 2 && (columns > 1 || rule.len() > 3)
}

#[cfg(test)]
mod tests {
    use super::other_output;

    #[test]
    fn tables_and_colours_are_told() {
        for table in [
            "Name    Location    ResourceGroup\n------  ----------  ---------------\naks1  westeurope  rg\n",
            "Name    Location\n-----\naks1  westeurope\n",
            "Result\n------------\nSucceeded\n",
        ] {
            assert!(other_output(table).is_some_and(|(_, what)| what.contains("-o table")), "{table}");
        }
        assert_eq!(other_output("\n\u{1b}[34m{\u{1b}[39m}").map(|(at, _)| at), Some(1));
    }

    #[test]
    fn what_is_json_or_yaml_is_not() {
        for text in ["", "{}", "a\n---\nb: 1\n", "name:  a\n------\n", "causeway: 1\n", "# a  b\n----\n", "[1,\n--\n"] {
            assert_eq!(other_output(text), None, "{text}");
        }
    }
}
