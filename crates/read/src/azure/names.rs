//! Names in the design: an object's own, with its resource group in front where two objects of a kind share it.

use super::resource::ResourceId;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The design's name of each object of one section.
#[derive(Debug, Default)]
pub(super) struct Names(BTreeMap<ResourceId, Arc<str>>);

impl Names {
    /// Names objects, given with the names they have in Azure. Which name an object gets depends on the set alone, not
    /// on its order.
    pub(super) fn new(objects: impl IntoIterator<Item = (ResourceId, Arc<str>)>) -> Names {
        let objects: BTreeMap<ResourceId, Arc<str>> = objects.into_iter().collect();
        let forms: [fn(&ResourceId, &str) -> String; 3] = [
            |_, name| name.to_owned(),
            |id, name| id.group().map_or_else(|| name.to_owned(), |group| format!("{group}.{name}")),
            |id, name| match (id.subscription(), id.group()) {
                (Some(subscription), Some(group)) => format!("{subscription}.{group}.{name}"),
                (Some(subscription), None) => format!("{subscription}.{name}"),
                (None, _) => name.to_owned(),
            },
        ];
        let mut names: BTreeMap<ResourceId, Arc<str>> = BTreeMap::new();
        let mut left: Vec<(&ResourceId, &Arc<str>)> = objects.iter().collect();
        for form in forms {
            let mut groups: BTreeMap<String, Vec<(&ResourceId, &Arc<str>)>> = BTreeMap::new();
            for (id, name) in left.drain(..) {
                groups.entry(form(id, name).to_lowercase()).or_default().push((id, name));
            }
            for group in groups.into_values() {
                match group.as_slice() {
                    [(id, name)] => {
                        names.insert((*id).clone(), form(id, name).into());
                    }
                    _ => left.extend(group),
                }
            }
        }
        // Objects that no part of their ids tells apart: numbered in the order of their ids.
        left.sort();
        for (at, (id, name)) in left.into_iter().enumerate() {
            names.insert(id.clone(), format!("{name}-{}", at + 1).into());
        }
        Names(names)
    }

    /// The name of an object.
    pub(super) fn of(&self, id: &ResourceId) -> Option<Arc<str>> {
        self.0.get(id).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(subscription: &str, group: &str, name: &str) -> (ResourceId, Arc<str>) {
        let id =
            ResourceId::new(Some(subscription), Some(group), "Microsoft.Network/virtualNetworks", &[name]).unwrap();
        (id, name.into())
    }

    #[test]
    fn names_are_as_short_as_they_can_be() {
        let objects = [
            id("s1", "a", "hub"),
            id("s1", "a", "spoke"),
            id("s1", "b", "Spoke"),
            id("s2", "b", "spoke"),
            id("s2", "c", "x"),
        ];
        let mut forwards: Vec<_> = Names::new(objects.clone()).0.into_values().collect();
        let backwards: Vec<_> = Names::new(objects.into_iter().rev()).0.into_values().collect();
        assert_eq!(forwards, backwards);
        forwards.sort();
        assert_eq!(
            forwards.iter().map(AsRef::as_ref).collect::<Vec<_>>(),
            ["a.spoke", "hub", "s1.b.Spoke", "s2.b.spoke", "x"]
        );
    }
}
