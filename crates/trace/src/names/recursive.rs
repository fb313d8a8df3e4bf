//! Recursive resolution: by the platform's resolver, which asks the private zones of a network before the internet, or by one that only has
//! the internet.

use super::domain::{above, normal};
use super::zones::{self, Zone};
use super::{Answer, NameVerdict, PLATFORM_DNS, Remedy, Resolver, alias};
use crate::answer::Missing;
use causeway_model::design::*;
use std::net::IpAddr;

/// Aliases in a row before a resolver gives up, as resolvers do.
const MOST_ALIASES: usize = 16;

/// What public DNS was found to have on the way: the entry whose addresses come back unless a private zone has the alias.
struct Public<'a> {
    key: &'a str,
    entry: &'a PublicName,
}

impl<'a> Resolver<'_, 'a> {
    /// What a resolver finds for a name: the platform's, asked from a network, or one of the internet. Every alias is asked anew, zones first.
    pub(super) fn recursive(&self, network: Option<&'a NetworkName>, name: &str) -> Answer {
        let design = self.world.design;
        let who = match network {
            Some(network) => format!("the platform's resolver ({PLATFORM_DNS}) as `{network}` sees it"),
            None => "public DNS".to_owned(),
        };
        let mut answer = Answer::new(name);
        // What the public side has for the last alias, unless it has something of its own.
        let mut public: Option<Public<'a>> = None;
        // The endpoint whose name this is, where the alias was told by the table of services alone.
        let mut endpoint: Option<&'a PrivateEndpointName> = None;
        let mut current = name.to_owned();
        while answer.aliases.len() <= MOST_ALIASES {
            if let Some(network) = network {
                match zones::ask(self.world, network, &current) {
                    Zone::NotSeen => {}
                    Zone::Holds { zone, object, addresses } => return held(answer, &who, &zone, object, addresses),
                    Zone::Nothing(zone) => {
                        let object = listed(design, zone);
                        answer.step(
                            &who,
                            format!("the linked private zone `{zone}` answers for it and has no record"),
                            &object,
                        );
                        answer.verdict = NameVerdict::Nxdomain;
                        answer.remedy = Some(Remedy {
                            object: object.clone(),
                            because: format!("the zone `{zone}`, linked to `{network}`, has no record of `{current}`"),
                            fix: "add the record, or let a DNS zone group of the private endpoint keep it; if the name is somebody else's, \
                                  set `fallbackToInternet: true` on the link"
                                .to_owned(),
                        });
                        answer.authority = object;
                        return answer;
                    }
                    Zone::FallsBack(zone) => answer.step(
                        &who,
                        format!(
                            "the linked private zone `{zone}` has no record and passes the question to the internet"
                        ),
                        listed(design, zone),
                    ),
                    Zone::Unknown(zone, missing) => {
                        answer.step(&who, format!("the private zone `{zone}` may have it"), listed(design, &zone));
                        return answer.lacks(missing);
                    }
                }
            }
            if let Some((key, entry)) = entry(design, &current) {
                answer.public_access_disabled = entry.public_access_disabled.or(answer.public_access_disabled);
                let object = format!("publicDns.{key}");
                let Some(alias) = entry.cname.as_deref().map(normal) else {
                    return self.public(answer, &who, network, &Public { key, entry });
                };
                answer.step(&who, format!("is an alias of `{alias}`"), object);
                if alias == answer.name || answer.aliases.contains(&alias) {
                    answer.step(&who, "the aliases lead in a circle", format!("publicDns.{key}"));
                    answer.verdict = NameVerdict::NoAnswer;
                    answer.authority = format!("publicDns.{key}");
                    return answer;
                }
                answer.aliases.push(alias.clone());
                // An entry with an alias and addresses tells what comes back in the end; a nearer one without any tells nothing.
                if public.is_none() || !entry.addresses.is_empty() {
                    public = Some(Public { key, entry });
                }
                current = alias;
                continue;
            }
            if let Some(known) =
                public.filter(|known| !known.entry.addresses.is_empty() || alias::is_privatelink_of_service(&current))
            {
                return self.public(answer, &who, network, &known);
            }
            public = None;
            if let Some(of) = endpoint {
                return self.without_address(answer, &who, network, Some(of));
            }
            let aliases = alias::of(&current);
            if let Some(of) = alias::endpoint(design, &current, &aliases)
                && let Some(alias) = self.alias_of_endpoint(network, aliases)
            {
                answer.step(
                    &who,
                    format!("is an alias of `{alias}`, since its service has a private endpoint"),
                    format!("privateEndpoints.{of}"),
                );
                answer.aliases.push(alias.clone());
                endpoint = Some(of);
                current = alias;
                continue;
            }
            return self.undescribed(answer, &who, network, &current);
        }
        answer.step(&who, format!("more than {MOST_ALIASES} aliases in a row"), "");
        answer.verdict = NameVerdict::NoAnswer;
        answer
    }

    /// Of the privatelink names a name may be an alias of: the one a zone in sight has, else the one any zone has or would answer for.
    fn alias_of_endpoint(&self, network: Option<&'a NetworkName>, aliases: Vec<String>) -> Option<String> {
        let rank = |alias: &String| {
            let seen = network.map_or(Zone::NotSeen, |network| zones::ask(self.world, network, alias));
            match seen {
                Zone::Holds { .. } => 0,
                _ if zones::any_record(self.world.design, alias).is_some() => 1,
                Zone::Nothing(_) | Zone::FallsBack(_) | Zone::Unknown(..) => 2,
                Zone::NotSeen => 3,
            }
        };
        aliases.into_iter().min_by_key(rank)
    }

    /// What the public entry says in the end.
    fn public(&self, mut answer: Answer, who: &str, network: Option<&NetworkName>, public: &Public<'a>) -> Answer {
        let object = format!("publicDns.{}", public.key);
        answer.public_access_disabled = public.entry.public_access_disabled.or(answer.public_access_disabled);
        answer.remedy = self.remedy(&answer, network);
        answer.verdict = NameVerdict::ResolvesPublic;
        if public.entry.addresses.is_empty() {
            answer.step(who, "leads to its public address", &object);
            answer.missing.push(Missing::new(
                format!("the public address of `{}`", answer.name),
                format!("`dig +short {}` from the internet, and write `{object}.address`", answer.name),
            ));
        } else {
            answer.step(who, format!("has {}", joined(&public.entry.addresses)), &object);
        }
        answer.addresses.clone_from(&public.entry.addresses);
        answer.authority = object;
        answer
    }

    /// It goes public, and nobody told where to.
    fn without_address(
        &self,
        mut answer: Answer,
        who: &str,
        network: Option<&NetworkName>,
        endpoint: Option<&PrivateEndpointName>,
    ) -> Answer {
        answer.remedy = self.remedy(&answer, network);
        if answer.remedy.is_none() {
            answer.remedy = endpoint.map(|endpoint| Remedy {
                object: format!("privateEndpoints.{endpoint}"),
                because: format!("no private zone has the name of private endpoint `{endpoint}`"),
                fix: format!(
                    "add a private zone with the record `{}` and link it{}",
                    answer.aliases.last().unwrap_or(&answer.name),
                    network.map_or_else(String::new, |network| format!(" to `{network}`"))
                ),
            });
        }
        answer.step(who, "no private zone is asked: the public address comes back", "");
        answer.verdict = NameVerdict::ResolvesPublic;
        answer.missing.push(Missing::new(
            format!("the public address of `{}`", answer.name),
            format!("`dig +short {0}` from the internet, and write `publicDns.{0}`", answer.name),
        ));
        if let Some(endpoint) = endpoint {
            answer.authority = format!("privateEndpoints.{endpoint}");
        }
        answer
    }

    /// A name nobody described.
    fn undescribed(&self, mut answer: Answer, who: &str, network: Option<&NetworkName>, name: &str) -> Answer {
        if alias::is_private_api_server(name) {
            answer.step(who, "only the private zone of its API server has this name, and it is not asked", "");
            answer.verdict = NameVerdict::Nxdomain;
            answer.remedy = self.remedy(&answer, network).or_else(|| self.link_of_api_server(network, name));
            return answer;
        }
        if alias::never_public(name) {
            answer.step(who, "public DNS has no such name", "");
            answer.verdict = NameVerdict::Nxdomain;
            answer.remedy = self.remedy(&answer, network);
            return answer;
        }
        let known_elsewhere = zones::any_record(self.world.design, name).is_some();
        if known_elsewhere && alias::is_privatelink_of_service(name) {
            return self.without_address(answer, who, network, None);
        }
        answer.step(who, "asks the internet", "");
        if let Some(remedy) = self.remedy(&answer, network) {
            answer.notes.push(remedy.because);
        }
        let how = match crate::names::domain::relative(name, "azmk8s.io") {
            Some(_) => format!(
                "`az aks show --query fqdn` tells whose it is, `dig +short {name}` the address; write `publicDns.{name}`"
            ),
            None => format!(
                "`dig +short {name}` from the internet, and write `publicDns.{name}` with `cname` and `address`"
            ),
        };
        answer.lacks(Missing::new(format!("what public DNS has for `{name}`"), how))
    }

    /// What keeps the private address from coming back: a zone that has it and is not linked.
    fn remedy(&self, answer: &Answer, network: Option<&NetworkName>) -> Option<Remedy> {
        let design = self.world.design;
        let mut names = answer.aliases.iter().rev().chain([&answer.name]);
        let (zone, of) = names.find_map(|name| Some((zones::hidden_record(design, network, name)?.0, name)))?;
        Some(match network {
            Some(network) => Remedy {
                object: format!("privateDnsZones.{zone}.links"),
                because: format!(
                    "the zone `{zone}` has `{of}` and is not linked to `{network}`, whose resolver is asked"
                ),
                fix: format!(
                    "link the zone `{zone}` to `{network}`, or forward it to a resolver of a network that is linked"
                ),
            },
            None => Remedy {
                object: String::new(),
                because: format!("the zone `{zone}` has `{of}`, and who is asked sees no private zone"),
                fix: format!(
                    "ask a resolver that forwards to {PLATFORM_DNS} in a network the zone `{zone}` is linked to"
                ),
            },
        })
    }

    /// The zone AKS brings along is linked to the nodes' network only.
    fn link_of_api_server(&self, network: Option<&NetworkName>, name: &str) -> Option<Remedy> {
        let own = |cluster: &Cluster| cluster.api_server.private_fqdn.as_deref().is_some_and(|own| normal(own) == name);
        let (cluster, _) = self.world.design.clusters.iter().find(|(_, cluster)| own(cluster))?;
        let (_, zone) = name.split_once('.')?;
        Some(Remedy {
            object: match (network, listed(self.world.design, zone)) {
                (None, _) => String::new(),
                (Some(_), listed) if listed.is_empty() => format!("clusters.{cluster}.apiServer.privateDnsZone"),
                (Some(_), listed) => format!("{listed}.links"),
            },
            because: format!("AKS links `{zone}` to the network of the nodes of `{cluster}` only"),
            fix: match network {
                Some(network) => {
                    format!("link `{zone}` to `{network}`, or forward it to a resolver of the nodes' network")
                }
                None => format!("ask a resolver that forwards to {PLATFORM_DNS} in the nodes' network"),
            },
        })
    }
}

/// What public DNS has for a name: its own entry, else the wildcard right below the closest name that has one.
fn entry<'a>(design: &'a Design, name: &str) -> Option<(&'a str, &'a PublicName)> {
    if design.public_dns.is_empty() {
        return None;
    }
    let of = |wanted: &str| {
        let mut entries = design.public_dns.iter();
        entries.find(|(key, _)| key.trim_end_matches('.').eq_ignore_ascii_case(wanted))
    };
    let wild = || above(name).find_map(|domain| of(&format!("*.{domain}")));
    of(name).or_else(wild).map(|(key, entry)| (key.as_str(), entry))
}

fn held(mut answer: Answer, who: &str, zone: &str, object: String, addresses: &[IpAddr]) -> Answer {
    answer.verdict = NameVerdict::ResolvesPrivate;
    answer.authority.clone_from(&object);
    if addresses.is_empty() {
        answer.step(who, format!("the linked private zone `{zone}` has it"), &object);
        let asked = answer.aliases.last().unwrap_or(&answer.name).clone();
        answer.missing.push(Missing::new(format!("the address `{asked}` leads to"), format!("write `{object}`")));
        return answer;
    }
    answer.step(who, format!("the linked private zone `{zone}` has {}", joined(addresses)), &object);
    answer.addresses = addresses.to_vec();
    answer
}

/// The path of a zone that is an object of the design.
fn listed(design: &Design, zone: &str) -> String {
    design.private_dns_zones.get_key_value(zone).map_or_else(String::new, |(zone, _)| format!("privateDnsZones.{zone}"))
}

pub(super) fn joined(addresses: &[IpAddr]) -> String {
    let each: Vec<String> = addresses.iter().map(ToString::to_string).collect();
    each.join(", ")
}
