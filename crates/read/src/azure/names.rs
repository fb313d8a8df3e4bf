//! Names in the design: an object's own, with its resource group in front where two objects of a kind share it.

use super::resource::ResourceId;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The design's name of each object of one section.
#[derive(Debug, Default)]
pub(super) struct Names(BTreeMap<ResourceId, Arc<str>>);

impl Names {
    /// Names objects, given with the names they have in Azure. Which name an object gets depends on the set alone, not
    /// on its order.
    pub(super) fn new(objects: impl IntoIterator<Item = (ResourceId, Arc<str>)>) -> Names {
        Names::beside(objects, &Names::default())
    }

    /// Names objects of another time: those that are the same have the same name, and no others have it.
    pub(super) fn beside(objects: impl IntoIterator<Item = (ResourceId, Arc<str>)>, others: &Names) -> Names {
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
        let mut left: Vec<(&ResourceId, &Arc<str>)> = Vec::new();
        for (id, name) in &objects {
            match others.of_the_same(id) {
                Some(same) => {
                    names.insert(id.clone(), same);
                }
                None => left.push((id, name)),
            }
        }
        let taken: BTreeSet<String> = others.0.values().map(|name| name.to_lowercase()).collect();
        for form in forms {
            let mut groups: BTreeMap<String, Vec<(&ResourceId, &Arc<str>)>> = BTreeMap::new();
            for (id, name) in left.drain(..) {
                groups.entry(form(id, name).to_lowercase()).or_default().push((id, name));
            }
            for (key, group) in groups {
                match group.as_slice() {
                    [(id, name)] if !taken.contains(&key) => {
                        names.insert((*id).clone(), form(id, name).into());
                    }
                    _ => left.extend(group),
                }
            }
        }
        // Objects that no part of their ids tells apart: numbered in the order of their ids.
        left.sort();
        let mut number = 0;
        for (id, name) in left {
            let mut next = || {
                number += 1;
                format!("{name}-{number}")
            };
            let mut numbered = next();
            while taken.contains(&numbered.to_lowercase()) {
                numbered = next();
            }
            names.insert(id.clone(), numbered.into());
        }
        Names(names)
    }

    /// The name of that object, or of the only one its id fits where one of the two leaves parts open.
    fn of_the_same(&self, id: &ResourceId) -> Option<Arc<str>> {
        let fits = |(other, _): &(&ResourceId, &Arc<str>)| {
            let same = |one: Option<&str>, other: Option<&str>| match (one, other) {
                (Some(one), Some(other)) => one.eq_ignore_ascii_case(other),
                _ => true,
            };
            (id.is_open() || other.is_open())
                && other.kind() == id.kind()
                && other.name().eq_ignore_ascii_case(id.name())
                && same(id.subscription(), other.subscription())
                && same(id.group(), other.group())
        };
        self.of(id).or_else(|| {
            let mut fitting = self.0.iter().filter(fits);
            let (_, name) = fitting.next()?;
            fitting.next().is_none().then(|| name.clone())
        })
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

    #[test]
    fn an_object_has_one_name_at_all_times() {
        let open = ResourceId::new(None, Some("a"), "Microsoft.Network/virtualNetworks", &["new"]).unwrap();
        let after =
            Names::new([id("s", "a", "spoke"), id("s", "b", "spoke"), id("s", "a", "hub"), (open, "new".into())]);
        // One of two is gone later, one is not there yet, one is made anew without an id, one has the name of another.
        let before = Names::beside(
            [id("s", "a", "spoke"), id("s", "c", "hub"), id("s", "a", "new"), id("s", "a", "gone")],
            &after,
        );
        let names: Vec<_> =
            before.0.iter().map(|(id, name)| format!("{} {name}", id.as_str().split('/').nth(4).unwrap())).collect();
        assert_eq!(names, ["a gone", "a new", "a a.spoke", "c c.hub"]);
    }
}
