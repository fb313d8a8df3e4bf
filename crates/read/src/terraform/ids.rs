//! Ids of objects: those a plan states, and stable ones for those it only creates, made of what is known of them.

use super::plan::Instance;
use super::resolve::Resolver;
use super::world::{Block, Configured, Inner, World};
use crate::azure::ResourceId;
use causeway_model::design::{Note, NoteKind};
use causeway_model::source::Span;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Where objects of a type belong.
#[derive(Debug, Clone, Copy)]
enum Home {
    /// In a resource group.
    Group,
    /// In the object whose name an attribute has.
    Named(&'static str),
    /// In the object whose id an attribute has.
    Of(&'static str),
}

use Home::{Group, Named, Of};

/// Types of the `azurerm` provider with the types of Resource Manager behind them.
const TYPES: &[(&str, &str, Home)] = &[
    ("azurerm_virtual_network", "Microsoft.Network/virtualNetworks", Group),
    ("azurerm_subnet", "Microsoft.Network/virtualNetworks/subnets", Named("virtual_network_name")),
    (
        "azurerm_virtual_network_peering",
        "Microsoft.Network/virtualNetworks/virtualNetworkPeerings",
        Named("virtual_network_name"),
    ),
    ("azurerm_route_table", "Microsoft.Network/routeTables", Group),
    ("azurerm_route", "Microsoft.Network/routeTables/routes", Named("route_table_name")),
    ("azurerm_network_security_group", "Microsoft.Network/networkSecurityGroups", Group),
    (
        "azurerm_network_security_rule",
        "Microsoft.Network/networkSecurityGroups/securityRules",
        Named("network_security_group_name"),
    ),
    ("azurerm_nat_gateway", "Microsoft.Network/natGateways", Group),
    ("azurerm_public_ip", "Microsoft.Network/publicIPAddresses", Group),
    ("azurerm_public_ip_prefix", "Microsoft.Network/publicIPPrefixes", Group),
    ("azurerm_lb", "Microsoft.Network/loadBalancers", Group),
    ("azurerm_application_gateway", "Microsoft.Network/applicationGateways", Group),
    ("azurerm_application_load_balancer", "Microsoft.ServiceNetworking/trafficControllers", Group),
    (
        "azurerm_application_load_balancer_subnet_association",
        "Microsoft.ServiceNetworking/trafficControllers/associations",
        Of("application_load_balancer_id"),
    ),
    ("azurerm_firewall", "Microsoft.Network/azureFirewalls", Group),
    ("azurerm_firewall_policy", "Microsoft.Network/firewallPolicies", Group),
    (
        "azurerm_firewall_policy_rule_collection_group",
        "Microsoft.Network/firewallPolicies/ruleCollectionGroups",
        Of("firewall_policy_id"),
    ),
    ("azurerm_ip_group", "Microsoft.Network/ipGroups", Group),
    ("azurerm_private_endpoint", "Microsoft.Network/privateEndpoints", Group),
    ("azurerm_private_dns_zone", "Microsoft.Network/privateDnsZones", Group),
    (
        "azurerm_private_dns_zone_virtual_network_link",
        "Microsoft.Network/privateDnsZones/virtualNetworkLinks",
        Named("private_dns_zone_name"),
    ),
    ("azurerm_private_dns_a_record", "Microsoft.Network/privateDnsZones/A", Named("zone_name")),
    ("azurerm_private_dns_aaaa_record", "Microsoft.Network/privateDnsZones/AAAA", Named("zone_name")),
    ("azurerm_private_dns_cname_record", "Microsoft.Network/privateDnsZones/CNAME", Named("zone_name")),
    ("azurerm_network_interface", "Microsoft.Network/networkInterfaces", Group),
    ("azurerm_virtual_network_gateway", "Microsoft.Network/virtualNetworkGateways", Group),
    ("azurerm_local_network_gateway", "Microsoft.Network/localNetworkGateways", Group),
    ("azurerm_virtual_network_gateway_connection", "Microsoft.Network/connections", Group),
    ("azurerm_kubernetes_cluster", "Microsoft.ContainerService/managedClusters", Group),
    ("azurerm_kubernetes_automatic_cluster", "Microsoft.ContainerService/managedClusters", Group),
    (
        "azurerm_kubernetes_cluster_node_pool",
        "Microsoft.ContainerService/managedClusters/agentPools",
        Of("kubernetes_cluster_id"),
    ),
    ("azurerm_user_assigned_identity", "Microsoft.ManagedIdentity/userAssignedIdentities", Group),
];

/// Stands for a network, a zone or a table of which only parts are known.
const UNKNOWN: &str = "unknown";

/// Changes a part of an object somebody else made.
pub(super) const UPDATE: &str = "azapi_update_resource";

/// The ids of all objects of a world, by their number.
#[derive(Debug)]
pub(super) struct Ids(Vec<Option<ResourceId>>);

impl Ids {
    pub(super) fn of(world: &World, notes: &mut Vec<Note>) -> Ids {
        let mut by_arm: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (at, instance) in world.instances.iter().enumerate() {
            if let Some(arm) = arm_of(instance) {
                by_arm.entry(arm.to_ascii_lowercase()).or_default().push(at);
            }
        }
        let ids = world.instances.iter().map(stated).collect();
        let mut maker = Maker { world, ids, by_arm, made: BTreeSet::new(), inferred: RefCell::default() };
        maker.groups();
        maker.tell_twins_apart(notes);
        // Parts of parts come after what they are parts of.
        for _ in 0..4 {
            maker.parts();
        }
        let inferred = maker.inferred.take().into_iter();
        notes.extend(inferred.map(|(at, message)| Note { kind: NoteKind::Unknown, message, at: Some(at) }));
        Ids(maker.ids)
    }

    pub(super) fn get(&self, at: usize) -> Option<&ResourceId> {
        self.0.get(at)?.as_ref()
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &ResourceId> {
        self.0.iter().flatten()
    }

    /// The object with an id.
    pub(super) fn find(&self, id: &ResourceId) -> Option<usize> {
        self.0.iter().position(|known| known.as_ref() == Some(id))
    }
}

/// The type of Resource Manager behind an object, in its own spelling.
pub(super) fn arm_of(instance: &Instance) -> Option<Arc<str>> {
    if instance.kind.starts_with("azapi_") {
        let stated = instance.values?.get("type")?.text()?;
        return Some(stated.split('@').next().unwrap_or(stated).into());
    }
    TYPES.iter().find(|(kind, ..)| *kind == instance.kind.as_ref()).map(|(_, arm, _)| (*arm).into())
}

fn is_arm(instance: &Instance, arm: &str) -> bool {
    arm_of(instance).is_some_and(|own| own.eq_ignore_ascii_case(arm))
}

/// The id a plan states.
fn stated(instance: &Instance) -> Option<ResourceId> {
    let key = if instance.kind.as_ref() == UPDATE { "resource_id" } else { "id" };
    let id = instance.values?.get(key)?.text()?;
    let id = ResourceId::parse(id)?;
    is_arm(instance, id.kind()).then_some(id)
}

/// A value that is known, as text.
pub(super) fn known<'a>(instance: &Instance<'a>, attribute: &str) -> Option<&'a str> {
    let node = instance.values?.get(attribute)?;
    node.text().filter(|text| !node.is_null() && !text.trim().is_empty())
}

/// What an object whose name is not known is called: its name in the configuration, with its key.
pub(super) fn label(instance: &Instance) -> String {
    let name = match &instance.key {
        Some(key) => format!("{}-{key}", instance.name),
        None => instance.name.to_string(),
    };
    name.replace('/', "-")
}

pub(super) fn name(instance: &Instance) -> String {
    let known = known(instance, "name").map(|name| name.trim().replace('/', "-"));
    known.filter(|name| !name.is_empty()).unwrap_or_else(|| label(instance))
}

struct Maker<'w, 'a> {
    world: &'w World<'a>,
    ids: Vec<Option<ResourceId>>,
    /// Objects by the type behind them, in lower case.
    by_arm: BTreeMap<String, Vec<usize>>,
    /// Those that were made here.
    made: BTreeSet<usize>,
    /// What was concluded and not read, to be said.
    inferred: RefCell<BTreeSet<(Span, String)>>,
}

impl Maker<'_, '_> {
    fn groups(&mut self) {
        for (at, instance) in self.world.instances.iter().enumerate() {
            if self.ids.get(at).is_some_and(Option::is_some) {
                continue;
            }
            let id = match home(instance) {
                Some((arm, Group)) => {
                    ResourceId::new(None, self.group(at).as_deref(), &arm, &[name(instance).as_str()])
                }
                _ => continue,
            };
            self.put(at, id);
        }
    }

    /// Two objects of one name in one group can't be: one of them is in another subscription (another configuration of
    /// the provider), or its group is not known.
    fn tell_twins_apart(&mut self, notes: &mut Vec<Note>) {
        let mut groups: BTreeMap<ResourceId, Vec<usize>> = BTreeMap::new();
        for at in &self.made {
            if let (Some(Some(id)), Some(false)) =
                (self.ids.get(*at), self.world.get(*at).map(|instance| instance.data))
            {
                groups.entry(id.clone()).or_default().push(*at);
            }
        }
        for (id, twins) in groups.into_iter().filter(|(_, twins)| twins.len() > 1) {
            let mut addresses = Vec::new();
            for at in twins {
                let Some(instance) = self.world.get(at) else { continue };
                addresses.push((format!("`{}`", instance.address), instance.at));
                let apart = instance.address.replace('/', "-");
                let twin = home(instance)
                    .and_then(|(arm, _)| ResourceId::new(Some(&apart), id.group(), &arm, &[name(instance).as_str()]));
                self.put(at, twin);
            }
            let list: Vec<&str> = addresses.iter().map(|(address, _)| address.as_str()).collect();
            let message = format!(
                "{} have one name and are in one resource group as far as is known: they are taken for several",
                list.join(", ")
            );
            notes.push(Note { kind: NoteKind::Unknown, message, at: addresses.last().map(|(_, at)| *at) });
        }
    }

    fn parts(&mut self) {
        for (at, instance) in self.world.instances.iter().enumerate() {
            if self.ids.get(at).is_some_and(Option::is_some) {
                continue;
            }
            if instance.kind.as_ref() == UPDATE && known(instance, "parent_id").is_none() {
                self.put(at, self.updated(at, instance));
                continue;
            }
            let Some((arm, home)) = home(instance) else { continue };
            let Some((above, step)) = arm.rsplit_once('/') else { continue };
            let parent = match home {
                Group => continue,
                Named(attribute) => self.parent_by_name(at, instance, attribute, above),
                Of(attribute) => self.parent_by_id(at, instance, attribute, above),
            };
            let id = parent.and_then(|parent| match parent {
                Parent::Object(parent) => parent.child(step, &name(instance)),
                Parent::Group(group) => {
                    ResourceId::new(subscription(&group), group.rsplit('/').next(), &arm, &[name(instance).as_str()])
                }
            });
            self.put(at, id);
        }
    }

    /// The object an update is about, where it names the object and not what that is a part of.
    fn updated(&self, at: usize, instance: &Instance) -> Option<ResourceId> {
        match known(instance, "resource_id") {
            Some(id) => ResourceId::parse(id),
            None => self.ids.get(self.only_target(at, "resource_id", &arm_of(instance)?)?).cloned().flatten(),
        }
    }

    fn put(&mut self, at: usize, id: Option<ResourceId>) {
        if let (Some(place), Some(id)) = (self.ids.get_mut(at), id) {
            *place = Some(id);
            self.made.insert(at);
        }
    }

    fn parent_by_name(&self, at: usize, instance: &Instance, attribute: &'static str, arm: &str) -> Option<Parent> {
        let group = self.group(at);
        let Some(wanted) = known(instance, attribute) else {
            let only = self.only_target(at, attribute, arm)?;
            return self.ids.get(only).cloned().flatten().map(Parent::Object);
        };
        let in_group = |other: usize| match (&group, self.group(other)) {
            (Some(one), Some(other)) => one.eq_ignore_ascii_case(&other),
            _ => true,
        };
        let named = |other: &usize| {
            self.world.get(*other).is_some_and(|candidate| name(candidate).eq_ignore_ascii_case(wanted))
        };
        let candidates = self.by_arm.get(&arm.to_ascii_lowercase()).map_or(&[][..], Vec::as_slice);
        let fitting: Vec<usize> = candidates.iter().copied().filter(named).filter(|other| in_group(*other)).collect();
        let ids: BTreeSet<&ResourceId> = fitting.iter().filter_map(|other| self.ids.get(*other)?.as_ref()).collect();
        let chosen = match ids.len() {
            0 | 1 => ids.first().map(|id| (*id).clone()),
            _ => self.only_target(at, attribute, arm).and_then(|only| self.ids.get(only).cloned().flatten()),
        };
        let open = || ResourceId::new(None, group.as_deref(), arm, &[&wanted.replace('/', "-")]);
        chosen.or_else(open).map(Parent::Object)
    }

    fn parent_by_id(&self, at: usize, instance: &Instance, attribute: &'static str, arm: &str) -> Option<Parent> {
        if let Some(stated) = known(instance, attribute) {
            return Parent::of(stated);
        }
        if let Some(only) = self.only_target(at, attribute, arm) {
            return self.ids.get(only).cloned().flatten().map(Parent::Object);
        }
        if arm.contains('/') {
            return ResourceId::new(None, None, arm, &vec![UNKNOWN; arm.split('/').count() - 1]).map(Parent::Object);
        }
        // An object of the `azapi` provider that stands in a group of its own.
        let group = self.only_target(at, attribute, "Microsoft.Resources/resourceGroups")?;
        Some(Parent::Group(self.world.get(group).map(name)?))
    }

    /// The only object of a type an attribute's expression leads to.
    fn only_target(&self, at: usize, attribute: &'static str, arm: &str) -> Option<usize> {
        let (targets, locals) = way(self.world, at, &[Inner::Name(attribute)]);
        let mut fitting = targets.into_iter().filter(|target| {
            self.world.get(*target).is_some_and(|target| match target.kind.as_ref() {
                "azurerm_resource_group" => arm.eq_ignore_ascii_case("Microsoft.Resources/resourceGroups"),
                _ => is_arm(target, arm),
            })
        });
        match fitting.next() {
            Some(first) => fitting.next().is_none().then_some(first),
            None => locals.and_then(|_| self.only_new(at, attribute, arm)),
        }
    }

    /// An id that is not known is that of an object that is made: where a plan does not show which, the only one there is.
    /// That is said.
    fn only_new(&self, at: usize, attribute: &str, arm: &str) -> Option<usize> {
        let all = self.by_arm.get(&arm.to_ascii_lowercase())?;
        let new = |other: &usize| self.world.get(*other).is_some_and(|other| known(other, "id").is_none());
        let mut new = all.iter().copied().filter(new);
        let only = new.next().filter(|_| new.next().is_none())?;
        let (found, who) = (self.world.get(only)?, self.world.get(at)?);
        self.inferred.borrow_mut().insert((who.at, taken_for(attribute, who, found, "the only one there is")));
        Some(only)
    }

    /// The resource group of an object, as far as it is known.
    fn group(&self, at: usize) -> Option<String> {
        let instance = self.world.get(at)?;
        if let Some(group) = known(instance, "resource_group_name") {
            return Some(group.trim().replace('/', "-"));
        }
        if let Some(parent) = known(instance, "parent_id") {
            return group_of(parent).map(str::to_owned);
        }
        let attribute = if instance.kind.starts_with("azapi_") { "parent_id" } else { "resource_group_name" };
        let only = self.only_target(at, attribute, "Microsoft.Resources/resourceGroups")?;
        self.world.get(only).map(name)
    }
}

/// What an object is a part of.
enum Parent {
    Object(ResourceId),
    /// The id of a resource group, or its name alone.
    Group(String),
}

impl Parent {
    fn of(text: &str) -> Option<Parent> {
        ResourceId::parse(text).map(Parent::Object).or_else(|| {
            let group = text.trim().trim_end_matches('/');
            group_of(group).map(|_| Parent::Group(group.to_owned()))
        })
    }
}

/// The group in `/subscriptions/S/resourceGroups/G` and in ids below it.
fn group_of(id: &str) -> Option<&str> {
    after(id, "resourcegroups")
}

fn subscription(id: &str) -> Option<&str> {
    after(id, "subscriptions")
}

fn after<'t>(id: &'t str, step: &str) -> Option<&'t str> {
    let mut parts = id.split('/');
    parts.find(|part| part.eq_ignore_ascii_case(step))?;
    parts.next().filter(|part| !part.is_empty())
}

fn home(instance: &Instance) -> Option<(Arc<str>, Home)> {
    if instance.kind.starts_with("azapi_") {
        return Some((arm_of(instance)?, Of("parent_id")));
    }
    let (_, arm, home) = TYPES.iter().find(|(kind, ..)| *kind == instance.kind.as_ref())?;
    Some(((*arm).into(), *home))
}

/// What is said of a value whose origin a plan does not show: it goes through a local, or there is no configuration.
pub(super) fn taken_for(attribute: &str, who: &Instance, found: &Instance, why: &str) -> String {
    format!(
        "where `{attribute}` of `{}` comes from is not in the plan: it is taken for `{}`, {why}",
        who.address, found.address
    )
}

/// The objects that the expression of an attribute leads to, and whether the way is hidden (locals, no configuration), with
/// the keys that were asked for on it.
pub(super) fn way(world: &World, at: usize, path: &[Inner]) -> (BTreeSet<usize>, Option<BTreeSet<String>>) {
    let Some(instance) = world.get(at) else { return (BTreeSet::new(), None) };
    let expressions = match world.configured(&Block::of(instance), path) {
        Configured::By(expressions) => expressions,
        Configured::Unclear => return (BTreeSet::new(), Some(BTreeSet::new())),
        Configured::Not => return (BTreeSet::new(), None),
    };
    let resolver = Resolver::new(world);
    let scope = resolver.scope(at);
    let targets = expressions.into_iter().flat_map(|expression| resolver.targets(expression, &scope)).collect();
    (targets, resolver.into_locals())
}
