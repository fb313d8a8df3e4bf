//! What a document is, told by its content.

use crate::tree::Node;
use causeway_model::source::Span;
use causeway_model::suggest::nearest;

/// Kinds of documents this program reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A design file.
    Design,
    /// Something Azure prints: `az ... -o json`, a REST body, a Resource Graph result. The inner kind when forced, as `vnet`.
    Azure(Option<&'static str>),
    /// `terraform show -json` of a plan or a state.
    Terraform,
    /// An ARM what-if result.
    WhatIf,
    /// Kubernetes objects.
    Kubernetes,
    /// A configuration file of a masquerade agent.
    Masquerade,
}

/// Words of `--as`.
const WORDS: &[(&str, Kind)] = &[
    ("design", Kind::Design),
    ("azure", Kind::Azure(None)),
    ("terraform", Kind::Terraform),
    ("what-if", Kind::WhatIf),
    ("kubernetes", Kind::Kubernetes),
    ("masquerade", Kind::Masquerade),
];

impl Kind {
    /// The kind behind a word of `--as`.
    ///
    /// # Errors
    /// What to do instead, for an unknown word.
    pub fn parse(word: &str) -> Result<Kind, String> {
        let azure = crate::exports::AZURE_KINDS;
        if let Some((_, kind)) = WORDS.iter().find(|(known, _)| *known == word) {
            return Ok(*kind);
        }
        if let Some(kind) = azure.iter().find(|known| **known == word) {
            return Ok(Kind::Azure(Some(kind)));
        }
        let known = WORDS.iter().map(|(known, _)| *known).chain(azure.iter().copied());
        Err(match nearest(word, known.clone()) {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None => format!("known kinds: {}", known.collect::<Vec<_>>().join(", ")),
        })
    }
}

impl Kind {
    /// The word of `--as`.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Azure(Some(word)) => word,
            _ => WORDS.iter().find(|(_, kind)| *kind == self).map_or("", |(word, _)| word),
        }
    }
}

/// Where and how a document is not of the kind it is forced to be (`--as`); nothing where it is, or may be.
pub(crate) fn other_than(node: &Node, forced: Kind) -> Option<(Span, String)> {
    if let Sniffed::Unusable(what, _) = sniff(node) {
        return Some((node.span, format!("it is {what}")));
    }
    let has = |key: &str| node.get_ci(key).is_some();
    let told = match sniff(node) {
        Sniffed::Kind(kind) => Some(kind),
        Sniffed::Unusable(..) | Sniffed::Ambiguous(_) | Sniffed::Unknown => None,
    };
    match (forced, told) {
        (Kind::Azure(Some(word)), None | Some(Kind::Azure(_))) => crate::exports::other_than(node, word),
        (Kind::Azure(None), Some(Kind::Azure(_))) | (Kind::Design | Kind::Masquerade, None) => None,
        (Kind::Terraform, None) if has("planned_values") || has("values") || has("resource_changes") => None,
        (Kind::WhatIf, None)
            if has("changes") || node.get_ci("properties").is_some_and(|inner| inner.get_ci("changes").is_some()) =>
        {
            None
        }
        (_, Some(told)) if told == forced => None,
        (_, Some(told)) => Some((node.span, format!("it is `{}`", told.as_str()))),
        (Kind::Azure(None), None) => match sniff(node) {
            Sniffed::Ambiguous(kinds) => Some((node.span, format!("it could be {}", kinds.join(" or ")))),
            _ => Some((node.span, "it has no type, and the keys of no object of Azure's".to_owned())),
        },
        (_, None) => Some((node.span, "it has none of the keys of one".to_owned())),
    }
}

/// Keys of a plan or state that may stand there without any object, as in an empty state.
const TERRAFORM: &[&str] =
    &["format_version", "terraform_version", "variables", "configuration", "checks", "timestamp"];

/// What telling a document's kind came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sniffed {
    /// This.
    Kind(Kind),
    /// Something known that can't be used as it is: what it is, and what to give instead.
    Unusable(&'static str, &'static str),
    /// An Azure object that does not say what it is: the words of `--as` it could be.
    Ambiguous(Vec<&'static str>),
    /// Nothing known.
    Unknown,
}

/// Tells a document's kind.
pub fn sniff(node: &Node) -> Sniffed {
    let has = |key: &str| node.get(key).is_some();
    let has_ci = |key: &str| node.get_ci(key).is_some();
    let is_map = |key: &str| node.get(key).is_some_and(|value| value.as_map().is_some());
    if has("causeway") || ((is_map("networks") || is_map("clusters")) && !has("apiVersion") && !has("id")) {
        return Sniffed::Kind(Kind::Design);
    }
    if has("format_version") && node.entries().iter().all(|entry| TERRAFORM.contains(&entry.key.as_ref()))
        || has("format_version")
            && (has("planned_values") || has("values") || has("resource_changes") || has("prior_state"))
    {
        return Sniffed::Kind(Kind::Terraform);
    }
    if has("terraform_version") && has("lineage") && has("serial") {
        return Sniffed::Unusable(
            "a raw Terraform state file",
            "its format is Terraform's own and changes: give the output of `terraform show -json`",
        );
    }
    if has("@level") && has("@message") {
        return Sniffed::Unusable(
            "Terraform's log in JSON lines",
            "save the plan (`terraform plan -out plan`) and give the output of `terraform show -json plan`",
        );
    }
    let changes =
        node.get_ci("changes").or_else(|| node.get_ci("properties").and_then(|inner| inner.get_ci("changes")));
    if changes.is_some_and(|changes| changes.items().iter().any(|change| change.get_ci("changeType").is_some()))
        || (changes.is_some() && has_ci("status"))
    {
        return Sniffed::Kind(Kind::WhatIf);
    }
    if let Some(schema) = node.get_ci("$schema").and_then(Node::text)
        && schema.to_ascii_lowercase().contains("deploymenttemplate")
    {
        if crate::exports::is_plain_template(node) {
            return Sniffed::Kind(Kind::Azure(None));
        }
        return Sniffed::Unusable(
            "an ARM template",
            "templates hold expressions only Azure can resolve: give the output of `az deployment group what-if --no-pretty-print`",
        );
    }
    // Before Kubernetes: the portal shows Azure objects with an `apiVersion` and a `kind` too.
    if crate::exports::is_azure(node) {
        return Sniffed::Kind(Kind::Azure(None));
    }
    // Also as `jq .items` leaves them.
    let is_object = |node: &Node| node.get("apiVersion").is_some() && node.get("kind").is_some();
    if is_object(node) || (!node.items().is_empty() && node.items().iter().all(is_object)) {
        return Sniffed::Kind(Kind::Kubernetes);
    }
    let masquerade = ["nonMasqueradeCIDRs", "masqLinkLocal", "masqLinkLocalIPv6"];
    if node.as_map().is_some() && masquerade.iter().any(|key| has_ci(key)) {
        return Sniffed::Kind(Kind::Masquerade);
    }
    let candidates = crate::exports::candidates(node);
    if !candidates.is_empty() {
        return Sniffed::Ambiguous(candidates);
    }
    if has("cniVersion") {
        return Sniffed::Unusable("a CNI network configuration", "it says nothing `check` needs: leave it out");
    }
    Sniffed::Unknown
}
