//! DNS servers of the design: what they forward, and to whom.

use super::domain::{is_below, labels};
use super::{Answer, NameVerdict, PLATFORM_DNS, Querier, Query, Resolver, combine};
use crate::answer::Missing;
use causeway_dataplane::packet::Protocol;
use causeway_model::design::*;
use std::net::IpAddr;

/// Queries one question may cause before it is taken to go in circles.
const MOST_QUERIES: usize = 128;

/// Resolvers of the internet that answer everybody, and never from a private zone (their operators' own pages).
const PUBLIC_RESOLVERS: [&str; 16] = [
    "1.1.1.1",
    "1.0.0.1",
    "8.8.8.8",
    "8.8.4.4",
    "9.9.9.9",
    "149.112.112.112",
    "208.67.222.222",
    "208.67.220.220",
    "2606:4700:4700::1111",
    "2606:4700:4700::1001",
    "2001:4860:4860::8888",
    "2001:4860:4860::8844",
    "2620:fe::fe",
    "2620:fe::9",
    "2620:119:35::35",
    "2620:119:53::53",
];

/// Who was asked for what so far, and how often somebody was asked at all.
#[derive(Debug, Clone, Default)]
pub(super) struct Trail {
    open: Vec<(IpAddr, String)>,
    asked: usize,
}

impl<'a> Resolver<'_, 'a> {
    /// What a server answers that is asked from a network.
    pub(super) fn server(
        &self,
        from: Querier,
        network: &'a NetworkName,
        server: IpAddr,
        name: &str,
        trail: &mut Trail,
    ) -> Vec<Answer> {
        let query = Query { from, server, protocol: Protocol::Udp };
        if server == PLATFORM_DNS {
            return vec![self.platform(Some(network), name).after(&[query])];
        }
        trail.asked += 1;
        let place = (server, name.to_owned());
        if trail.open.contains(&place) || trail.asked > MOST_QUERIES {
            return vec![silent(name, server, "the question comes back to it: forwarders in a circle").after(&[query])];
        }
        let hosts = self.hosts_at(network, server);
        if hosts.is_empty() {
            return vec![self.undescribed_server(network, server, name).after(&[query])];
        }
        trail.open.push(place);
        let found: Vec<Answer> =
            hosts.into_iter().flat_map(|(host, value)| self.host(host, value, name, trail)).collect();
        trail.open.pop();
        combine(found.into_iter().map(|answer| answer.after(std::slice::from_ref(&query))))
    }

    /// The platform's resolver; only machines of a VNet reach it.
    fn platform(&self, network: Option<&'a NetworkName>, name: &str) -> Answer {
        let vnet = network.filter(|network| {
            self.world.design.networks.get(*network).is_some_and(|network| network.kind == NetworkKind::Vnet)
        });
        match vnet {
            Some(network) => self.recursive(Some(network), name),
            None => silent(name, PLATFORM_DNS, "the platform's resolver answers machines of a VNet only"),
        }
    }

    /// Machines with an address: those of the network that asks before those of others, those that forward before those that do not.
    fn hosts_at(&self, network: &NetworkName, server: IpAddr) -> Vec<(&'a HostName, &'a Host)> {
        let all = self.world.design.hosts.iter().filter(|(_, host)| host.ip == server);
        let peers = self.world.network(network).map_or(&[][..], |view| view.peers.as_slice());
        let distance = |host: &Host| match &host.network {
            Some(own) if own == network => 0,
            Some(own) if peers.iter().any(|(peer, _)| *peer == own) => 1,
            Some(_) => 2,
            None => 3,
        };
        let rank = |host: &Host| (host.dns_forwards.is_empty(), distance(host));
        let Some(best) = all.clone().map(|(_, host)| rank(host)).min() else { return Vec::new() };
        all.filter(|(_, host)| rank(host) == best).collect()
    }

    /// A described server: the longest suffix that fits decides whom it asks, in order.
    fn host(&self, host: &'a HostName, value: &'a Host, name: &str, trail: &mut Trail) -> Vec<Answer> {
        if value.dns_forwards.is_empty() && value.network.is_none() {
            let mut answer = self.recursive(None, name);
            answer.notes.push(format!("`{host}` is on the internet: it is taken for a resolver of public names"));
            return vec![answer];
        }
        let Some((suffix, targets)) = forward(&value.dns_forwards, name) else {
            let rest = if value.dns_forwards.is_empty() { "" } else { ": none of its `dns.forwards` fits" };
            let missing = Missing::new(
                format!("where the DNS server `{host}` sends `{name}`{rest}"),
                format!(
                    "write `hosts.{host}.dns.forwards`, with `.` for the rest; `dig @{} {name}` shows its answer",
                    value.ip
                ),
            );
            return vec![Answer::new(name).lacks(missing)];
        };
        let object = format!("hosts.{host}.dns.forwards.{suffix}");
        let each = targets.iter().flat_map(|target| {
            let (whom, found) = match target {
                DnsForward::Azure => {
                    let query =
                        Query { from: Querier::Host(host.clone()), server: PLATFORM_DNS, protocol: Protocol::Udp };
                    (PLATFORM_DNS, vec![self.platform(value.network.as_ref(), name).after(&[query])])
                }
                DnsForward::Server(next) => match &value.network {
                    Some(network) => (*next, self.server(Querier::Host(host.clone()), network, *next, name, trail)),
                    None => {
                        (*next, vec![silent(name, *next, "a server on the internet does not reach into a network")])
                    }
                },
            };
            found.into_iter().map(move |answer| (whom, answer)).collect::<Vec<_>>()
        });
        let mut found: Vec<Answer> = Vec::new();
        for (whom, mut answer) in each.collect::<Vec<_>>() {
            let said =
                if suffix == "." { format!("asks {whom}") } else { format!("asks {whom} for what is in `{suffix}`") };
            let step = step(&format!("`{host}` ({})", value.ip), name, said, &object);
            answer.steps.insert(0, step);
            if let Some(remedy) = answer.remedy.as_mut().filter(|remedy| remedy.object.is_empty()) {
                remedy.object = format!("hosts.{host}.dns.forwards");
            }
            found.push(answer);
        }
        let mut found = combine(found);
        self.asked_again(host, value, suffix, &mut found, trail);
        found
    }

    /// Servers take the whole answer of whom they forward to, which is what the platform's guide counts on: it has the public name forwarded,
    /// not the privatelink name (private-endpoint-dns.md, 2023). Some ask again for an alias by a rule of its own; where only that leads inside,
    /// both answers are given.
    fn asked_again(&self, host: &'a HostName, value: &'a Host, used: &str, found: &mut Vec<Answer>, trail: &mut Trail) {
        let mut other: Vec<Answer> = Vec::new();
        for answer in found.iter().filter(|answer| answer.verdict != NameVerdict::ResolvesPrivate) {
            let elsewhere = answer.aliases.iter().enumerate().find(|(_, alias)| {
                let by = forward(&value.dns_forwards, alias);
                by.is_some_and(|(suffix, targets)| {
                    labels(suffix) > 0 && suffix != used && Some(targets) != value.dns_forwards.get(used)
                })
            });
            let Some((at, alias)) = elsewhere else { continue };
            trail.asked += 1;
            if trail.asked > MOST_QUERIES {
                break;
            }
            for mut again in self.host(host, value, alias, trail) {
                if again.verdict == answer.verdict && again.addresses == answer.addresses {
                    continue;
                }
                let mut aliases: Vec<String> = answer.aliases.iter().take(at + 1).cloned().collect();
                aliases.append(&mut again.aliases);
                let mut steps = answer.steps.clone();
                steps.retain(|step| {
                    step.name != *alias && !aliases.iter().skip(at + 1).any(|later| *later == step.name)
                });
                steps.push(step(
                    &format!("`{host}`"),
                    alias,
                    "asks again for the alias, by its own rules",
                    &format!("hosts.{host}"),
                ));
                steps.append(&mut again.steps);
                again.notes.push(format!("whether `{host}` asks again for an alias depends on its software"));
                other.push(Answer {
                    name: answer.name.clone(),
                    aliases,
                    steps,
                    public_access_disabled: again.public_access_disabled.or(answer.public_access_disabled),
                    ..again
                });
            }
        }
        if !other.is_empty() {
            *found = combine(found.drain(..).chain(other));
        }
    }

    /// A server no host of the design is.
    fn undescribed_server(&self, network: &NetworkName, server: IpAddr, name: &str) -> Answer {
        let design = self.world.design;
        if PUBLIC_RESOLVERS.iter().any(|known| known.parse() == Ok(server)) {
            let mut answer = self.recursive(None, name);
            answer
                .steps
                .insert(0, step(&format!("{server}"), name, "a resolver of the internet: it sees no private zone", ""));
            return answer;
        }
        let firewall = design.firewalls.iter().find(|(_, firewall)| firewall.private_ip == Some(server));
        let (who, object) = match firewall {
            Some((firewall, _)) => {
                (format!("the firewall `{firewall}` ({server}) as DNS proxy"), format!("firewalls.{firewall}"))
            }
            None => (format!("the DNS server {server} of `{network}`"), format!("networks.{network}.dnsServers")),
        };
        let mut answer = Answer::new(name);
        answer.step(&who, "nobody described where it sends queries", object);
        answer.lacks(Missing::new(
            format!("what {who} answers for `{name}`"),
            format!(
                "describe it as a host with the address {server} and `dns: {{forwards: {{\".\": azure}}}}` or where else it sends queries; \
                 `dig @{server} {name}` from a machine of `{network}` shows its answer"
            ),
        ))
    }
}

fn step(asked: &str, name: &str, said: impl Into<String>, object: &str) -> super::Step {
    super::Step { asked: asked.to_owned(), name: name.to_owned(), said: said.into(), object: object.to_owned() }
}

fn silent(name: &str, server: IpAddr, why: &str) -> Answer {
    let mut answer = Answer::new(name);
    answer.step(server.to_string(), why, "");
    answer.verdict = NameVerdict::NoAnswer;
    answer
}

/// Where a server sends a name: by the longest suffix that fits, `.` for the rest. A suffix with nobody behind it counts as absent.
fn forward<'f>(
    forwards: &'f std::collections::BTreeMap<String, Vec<DnsForward>>,
    name: &str,
) -> Option<(&'f str, &'f Vec<DnsForward>)> {
    let fits = forwards.iter().filter(|(suffix, targets)| !targets.is_empty() && is_below(name, suffix));
    fits.max_by_key(|(suffix, _)| labels(suffix)).map(|(suffix, targets)| (suffix.as_str(), targets))
}
