//! One Azure object, and the id by which others refer to it.

use super::kind::Kind;
use crate::tree::Node;
use causeway_model::source::Span;
use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

/// The id of an Azure object, as
/// `/subscriptions/S/resourceGroups/G/providers/Microsoft.Network/virtualNetworks/V/subnets/N`. Ids compare without
/// regard to case, because Azure itself writes the same id in several.
#[derive(Clone)]
pub struct ResourceId {
    /// Lower case, no slash at the end: what is compared. Not among the parts, so that comparing takes no step more than it must.
    key: Arc<str>,
    parts: Arc<Parts>,
}

struct Parts {
    written: Box<str>,
    /// Lower case: `microsoft.network/virtualnetworks/subnets`.
    kind: Box<str>,
    /// The kind, where it is one this program has a use for.
    known: Option<Kind>,
    /// Where in the key the type begins.
    tail: usize,
    /// Subscription or group are not said.
    open: bool,
}

/// Stands for a subscription or a resource group that the source does not say. An id with it is taken for the same
/// object as the only other id that differs from it in nothing else.
const UNSAID: &str = "-";

/// Stands before the type.
const PROVIDERS: &[u8] = b"/providers/";

impl ResourceId {
    /// Reads an id. `None` for text that is no id of an object with a provider (a subscription, a resource group, an
    /// expression of a template).
    pub fn parse(text: &str) -> Option<ResourceId> {
        let written = text.trim().trim_end_matches('/');
        let key = written.to_ascii_lowercase();
        if !key.starts_with('/') || written.len() < 2 || written.as_bytes().windows(2).any(|pair| pair == b"//") {
            return None;
        }
        // Extension resources have a second provider; the last one is the object's own.
        let tail = key.as_bytes().windows(PROVIDERS.len()).rposition(|bytes| bytes == PROVIDERS)? + PROVIDERS.len();
        let own = key.get(tail..)?;
        let mut parts = own.split('/');
        let mut kind = String::with_capacity(own.len());
        kind.push_str(parts.next()?);
        let mut steps = 0;
        while let Some(step) = parts.next() {
            parts.next()?;
            kind.push('/');
            kind.push_str(step);
            steps += 1;
        }
        (steps > 0).then(|| ResourceId {
            parts: Arc::new(Parts {
                known: Kind::of_lower(&kind),
                open: key.starts_with("/subscriptions/-/") || key.contains("/resourcegroups/-/"),
                written: written.into(),
                kind: kind.into(),
                tail,
            }),
            key: key.into(),
        })
    }

    /// Makes an id of its parts. `kind` is a type such as `Microsoft.Network/virtualNetworks/subnets`, `names` has one
    /// name for each step of it. A subscription or group that is not known is `None`.
    pub fn new(subscription: Option<&str>, group: Option<&str>, kind: &str, names: &[&str]) -> Option<ResourceId> {
        let (provider, steps) = kind.split_once('/')?;
        if steps.split('/').count() != names.len() {
            return None;
        }
        let mut text = format!(
            "/subscriptions/{}/resourceGroups/{}/providers/{provider}",
            subscription.unwrap_or(UNSAID),
            group.unwrap_or(UNSAID)
        );
        for (step, name) in steps.split('/').zip(names) {
            text.push('/');
            text.push_str(step);
            text.push('/');
            text.push_str(name);
        }
        ResourceId::parse(&text)
    }

    /// The id of something below this one: `child("subnets", "nodes")`.
    pub fn child(&self, step: &str, name: &str) -> Option<ResourceId> {
        ResourceId::parse(&format!("{}/{step}/{name}", self.parts.written))
    }

    /// As it was written, without a slash at the end.
    pub fn as_str(&self) -> &str {
        &self.parts.written
    }

    /// In lower case: equal for equal objects.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The type in lower case, as `microsoft.network/virtualnetworks/subnets`.
    pub fn kind(&self) -> &str {
        &self.parts.kind
    }

    /// The kind of the object, where this program has a use for it.
    pub(super) fn known(&self) -> Option<Kind> {
        self.parts.known
    }

    /// What follows the provider, in lower case.
    pub(super) fn tail(&self) -> &str {
        self.key.get(self.parts.tail..).unwrap_or_default()
    }

    /// The last name, as written.
    pub fn name(&self) -> &str {
        self.parts.written.rsplit_once('/').map_or("", |(_, name)| name)
    }

    /// The subscription, as written; `None` where the source did not say it.
    pub fn subscription(&self) -> Option<&str> {
        self.after("subscriptions")
    }

    /// Whether the source left the subscription or the resource group open.
    pub(super) fn is_open(&self) -> bool {
        self.parts.open
    }

    /// The resource group, as written; `None` where the source did not say it.
    pub fn group(&self) -> Option<&str> {
        self.after("resourcegroups")
    }

    /// What this is a part of: the virtual network of a subnet. `None` for an object that stands alone.
    pub fn parent(&self) -> Option<ResourceId> {
        ResourceId::parse(self.above()?)
    }

    /// What stands before the last step and name, as written: the parent's id, where there is one.
    pub(super) fn above(&self) -> Option<&str> {
        let (above, _) = self.parts.written.rsplit_once('/')?;
        Some(above.rsplit_once('/')?.0)
    }

    /// Whether this is a part of `whole`, one step down.
    pub(super) fn is_part_of(&self, whole: &ResourceId) -> bool {
        let rest = self.key().strip_prefix(whole.key()).and_then(|rest| rest.strip_prefix('/'));
        rest.is_some_and(|rest| rest.bytes().filter(|byte| *byte == b'/').count() == 1)
    }

    /// This or what it is a part of, whichever is of that type (in lower case).
    pub fn ancestor(&self, kind: &str) -> Option<ResourceId> {
        let mut id = self.clone();
        loop {
            if id.kind() == kind {
                return Some(id);
            }
            id = id.parent()?;
        }
    }

    fn after(&self, step: &str) -> Option<&str> {
        let mut parts = self.parts.written.split('/');
        parts.find(|part| part.eq_ignore_ascii_case(step))?;
        parts.next().filter(|name| *name != UNSAID)
    }
}

impl PartialEq for ResourceId {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.key, &other.key) || self.key == other.key
    }
}

impl Eq for ResourceId {}

impl PartialOrd for ResourceId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ResourceId {
    fn cmp(&self, other: &Self) -> Ordering {
        if Arc::ptr_eq(&self.key, &other.key) { Ordering::Equal } else { self.key.cmp(&other.key) }
    }
}

impl fmt::Debug for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.parts.written, f)
    }
}

impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.parts.written)
    }
}

/// One Azure object, as it goes into the translation.
///
/// `body` is a mapping with Resource Manager's names (`addressSpace.addressPrefixes`, `vnetSubnetID`, ...), compared
/// without regard to case. What Resource Manager has under `properties` may stand there or one level up, as the command
/// line prints it; `location`, `sku`, `tags` and `name` stand at the top. Null and absent mean the same. Every value keeps
/// the span it had in the file it comes from.
///
/// Parts may stand in their parent (`subnets`, `virtualNetworkPeerings`, `securityRules`, `routes`, `agentPoolProfiles`)
/// or be resources of their own with their own type; several resources with the same id are one object, and each may say
/// only a part of it (an association of a subnet and a route table is a resource of the subnet's id whose body holds only
/// `routeTable: {id}`). Where two say different things the first is believed and a finding tells.
///
/// References between objects are ids in the body, as Azure writes them (`{subnet: {id: "/subscriptions/…"}}`). A source
/// that refers to objects which have no id yet (a plan before apply) makes one with [`ResourceId::new`] out of what it
/// knows, gives it to the object as its `id`, and writes the same text where the object is referred to.
///
/// A value that exists and is not known yet is left out of the body and listed in `later`: the translation notes it, and
/// where leaving it out would mean "there is none" (the address of a route's next hop) it says `unknown`.
#[derive(Debug, Clone)]
pub struct Resource {
    /// The type in lower case, as `microsoft.network/virtualnetworks/subnets`.
    pub kind: String,
    /// `None` where the source gives none; the object is then found by `parent`, type and name.
    pub id: Option<ResourceId>,
    /// Its own name, without those of its parents.
    pub name: Arc<str>,
    /// Where the name is written; the object's own span where it is not.
    pub name_span: Span,
    /// What it is a part of, where that can't be read from the id.
    pub parent: Option<ResourceId>,
    /// What is said about it.
    pub body: Node,
    /// Values that are not known yet.
    pub later: Vec<KnownLater>,
}

/// A value that exists and will be known later (after apply).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownLater {
    /// Resource Manager's names from the object down, without `properties`, items by number: `ipConfigurations.0.privateIPAddress`.
    pub path: String,
    /// Where the source says so.
    pub at: Span,
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUBNET: &str =
        "/subscriptions/S1/resourceGroups/Rg-Net/providers/Microsoft.Network/virtualNetworks/Spoke/subnets/Nodes";

    #[test]
    fn ids_compare_without_case_and_know_their_parts() {
        let id = ResourceId::parse(SUBNET).unwrap();
        assert_eq!(id, ResourceId::parse(&SUBNET.to_uppercase()).unwrap());
        assert_eq!(id, ResourceId::parse(&format!("{SUBNET}/")).unwrap());
        assert_eq!(id.kind(), "microsoft.network/virtualnetworks/subnets");
        assert_eq!((id.subscription(), id.group(), id.name()), (Some("S1"), Some("Rg-Net"), "Nodes"));
        let network = id.parent().unwrap();
        assert_eq!((network.kind(), network.name()), ("microsoft.network/virtualnetworks", "Spoke"));
        assert_eq!(network.parent(), None);
        assert_eq!(id.ancestor("microsoft.network/virtualnetworks"), Some(network.clone()));
        assert_eq!(id.ancestor("microsoft.network/routetables"), None);
        assert_eq!(network.child("subnets", "nodes"), Some(id));
    }

    #[test]
    fn parts_make_an_id() {
        let id = ResourceId::new(None, Some("rg"), "Microsoft.Network/virtualNetworks/subnets", &["v", "s"]).unwrap();
        assert_eq!(
            id.as_str(),
            "/subscriptions/-/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/v/subnets/s"
        );
        assert_eq!((id.subscription(), id.group()), (None, Some("rg")));
        assert_eq!(ResourceId::new(None, None, "Microsoft.Network/virtualNetworks/subnets", &["v"]), None);
    }

    #[test]
    fn other_texts_are_no_ids() {
        for text in [
            "",
            "/",
            "vnet",
            "/subscriptions/s",
            "/subscriptions/s/resourceGroups/g",
            "/subscriptions/s/providers/Microsoft.Network",
            "/subscriptions/s/providers/Microsoft.Network/virtualNetworks",
            "/a//providers/Microsoft.Network/x/y",
            "[resourceId('a', 'b')]",
        ] {
            assert_eq!(ResourceId::parse(text), None, "{text}");
        }
    }
}
