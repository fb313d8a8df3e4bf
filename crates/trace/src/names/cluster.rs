//! A cluster's own DNS: names of services and pods, the search list of pods, and whom it asks for everything else.

use super::domain::{normal, relative};
use super::recursive::joined;
use super::{Answer, NameVerdict, Querier, Query, Resolver, combine};
use crate::answer::Missing;
use causeway_dataplane::packet::Protocol;
use causeway_model::design::*;
use causeway_model::facts::{address, special};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The domain of every AKS cluster's own names.
pub(super) const DOMAIN: &str = "cluster.local";

/// A name with fewer dots is looked for in the search list first: `ndots:5` in a pod's `resolv.conf`.
const NDOTS: usize = 5;

impl<'a> Resolver<'_, 'a> {
    /// As a pod whose queries go to the cluster's DNS (dnsPolicy `ClusterFirst`, the default).
    pub(super) fn pod(
        &self,
        cluster: &'a ClusterName,
        namespace: Option<&str>,
        name: &str,
        is_absolute: bool,
    ) -> Vec<Answer> {
        let mut search: Vec<String> = Vec::new();
        if !is_absolute {
            search.extend(namespace.map(|namespace| format!("{name}.{}.svc.{DOMAIN}", normal(namespace))));
            search.extend([format!("{name}.svc.{DOMAIN}"), format!("{name}.{DOMAIN}")]);
        }
        let dots = name.bytes().filter(|byte| *byte == b'.').count();
        let itself_first = is_absolute || dots >= NDOTS;
        let mut unsure: Option<Answer> = None;
        if !itself_first {
            for candidate in &search {
                match self.own_name(cluster, candidate) {
                    Some(answer) if answer.verdict == NameVerdict::Uncertain => unsure = unsure.or(Some(answer)),
                    Some(answer) if answer.verdict != NameVerdict::Nxdomain => return vec![answer],
                    _ => {}
                }
            }
        }
        let mut found = match self.own_name(cluster, name) {
            Some(answer) => vec![answer],
            None => self.upstream(cluster, name),
        };
        if found.iter().all(|answer| answer.verdict == NameVerdict::Nxdomain) {
            if itself_first {
                let later = search.iter().filter_map(|candidate| self.own_name(cluster, candidate));
                if let Some(answer) = later.into_iter().find(|answer| answer.verdict != NameVerdict::Nxdomain) {
                    return vec![answer];
                }
            }
            return unsure.map_or(found, |answer| vec![answer]);
        }
        // A service of that name would come first, and nobody told which services there are.
        for missing in unsure.into_iter().flat_map(|answer| answer.missing) {
            for answer in found.iter_mut().filter(|answer| answer.verdict == NameVerdict::Uncertain) {
                answer.missing.push(missing.clone());
            }
        }
        found
    }

    /// The way of a pod's query to the cluster's DNS.
    fn to_cluster_dns(&self, cluster: &'a ClusterName) -> Vec<Query> {
        let Some(value) = self.world.design.clusters.get(cluster) else { return Vec::new() };
        let Some(server) = value.dns_service_ip else { return Vec::new() };
        let local = value.local_dns == Some(true);
        let mut out = Vec::new();
        if local {
            let [_, for_pods] = special::LOCAL_DNS.value;
            out.push(Query { from: Querier::Asker, server: IpAddr::V4(for_pods), protocol: Protocol::Udp });
        }
        let from = if local { Querier::LocalDns(cluster.clone()) } else { Querier::Asker };
        out.push(Query { from, server, protocol: Protocol::Udp });
        out
    }

    /// Everything that is not the cluster's own: its DNS asks the servers of the nodes it runs on.
    fn upstream(&self, cluster: &'a ClusterName, name: &str) -> Vec<Answer> {
        let before = self.to_cluster_dns(cluster);
        let (who, object) = self.dns_of(cluster);
        let found =
            self.as_node(Querier::CoreDns(cluster.clone()), cluster, None, name).into_iter().map(|mut answer| {
                let step = super::Step {
                    asked: who.clone(),
                    name: name.to_owned(),
                    said: "not a name of the cluster: asks the DNS servers of its node".to_owned(),
                    object: object.clone(),
                };
                answer.steps.insert(0, step);
                answer.after(&before)
            });
        combine(found)
    }

    fn dns_of(&self, cluster: &ClusterName) -> (String, String) {
        let ip = self.world.design.clusters.get(cluster).and_then(|value| value.dns_service_ip);
        let who = ip.map_or_else(|| format!("DNS of `{cluster}`"), |ip| format!("DNS of `{cluster}` ({ip})"));
        (who, format!("clusters.{cluster}.dnsServiceIp"))
    }

    /// What the cluster's DNS has for a name of its own; `None` = it is not one.
    fn own_name(&self, cluster: &'a ClusterName, name: &str) -> Option<Answer> {
        let label = relative(name, DOMAIN)?;
        let value = self.world.design.clusters.get(cluster)?;
        let labels: Vec<&str> = label.split('.').collect();
        let mut answer = Answer::new(name).after(&self.to_cluster_dns(cluster));
        let (who, object) = self.dns_of(cluster);
        let found = match labels.as_slice() {
            [service, namespace, "svc"] => service_named(cluster, value, namespace, service),
            [port, protocol, service, namespace, "svc"] if port.starts_with('_') && protocol.starts_with('_') => {
                service_named(cluster, value, namespace, service)
            }
            [host, service, namespace, "svc"] => pod_of_service(cluster, value, namespace, service, host),
            [dashed, _, "pod"] => match dashed_address(dashed) {
                Some(ip) => Own::Addresses(vec![ip], "the address is in the name".to_owned(), String::new()),
                None => Own::Nothing(None),
            },
            _ => Own::Nothing(None),
        };
        match found {
            Own::Addresses(addresses, why, by) => {
                let authority = if by.is_empty() { object } else { by };
                answer.step(who, format!("{}: {why}", joined(&addresses)), &authority);
                answer.verdict = NameVerdict::ResolvesPrivate;
                answer.addresses = addresses;
                answer.authority = authority;
            }
            Own::Nothing(hint) => {
                answer.step(who, hint.unwrap_or_else(|| "no such name in the cluster".to_owned()), &object);
                answer.verdict = NameVerdict::Nxdomain;
                answer.authority = object;
            }
            Own::Unknown(missing) => {
                answer.step(who, "can't be said", &object);
                answer = answer.lacks(missing);
            }
        }
        Some(answer)
    }
}

/// What a cluster has for one of its own names.
enum Own {
    /// Addresses, why, and the object that says so.
    Addresses(Vec<IpAddr>, String, String),
    Nothing(Option<String>),
    Unknown(Missing),
}

fn known<'a>(cluster: &'a Cluster, namespace: &str, name: &str) -> Option<(usize, &'a Service)> {
    let own = |service: &&Service| service.namespace == namespace && service.name == name;
    cluster.services.iter().enumerate().find(|(_, service)| own(service))
}

fn service_named(cluster: &ClusterName, value: &Cluster, namespace: &str, name: &str) -> Own {
    let Some((at, service)) = known(value, namespace, name) else { return unlisted(cluster, value, namespace, name) };
    let object = format!("clusters.{cluster}.services.{at}");
    let words = format!("service/{namespace}/{name}");
    if service.kind == ServiceType::ExternalName {
        return Own::Unknown(Missing::new(
            format!("the name {words} is an alias of"),
            format!(
                "`kubectl get service {name} -n {namespace} -o jsonpath={{.spec.externalName}}`, and ask for that name"
            ),
        ));
    }
    if !service.cluster_ips.is_empty() {
        return Own::Addresses(service.cluster_ips.clone(), format!("the cluster address of {words}"), object);
    }
    if service.kind == ServiceType::ClusterIp {
        // Without an address of its own it is headless, or its address was not given: it is the same pods that answer.
        let pods: Vec<IpAddr> = selected(value, service).flat_map(|pod| pod.ips.iter().copied()).collect();
        if !pods.is_empty() {
            return Own::Addresses(pods, format!("{words} has no cluster address that is known: its pods"), object);
        }
    }
    Own::Unknown(Missing::new(
        format!("the cluster address of {words}"),
        format!("`kubectl get service {name} -n {namespace} -o jsonpath={{.spec.clusterIPs}}`, and write `clusterIp`"),
    ))
}

/// Services every cluster has, and those nobody listed.
fn unlisted(cluster: &ClusterName, value: &Cluster, namespace: &str, name: &str) -> Own {
    if (namespace, name) == ("kube-system", "kube-dns")
        && let Some(ip) = value.dns_service_ip
    {
        let object = format!("clusters.{cluster}.dnsServiceIp");
        return Own::Addresses(vec![ip], "the address of the cluster's DNS".to_owned(), object);
    }
    if (namespace, name) == ("default", "kubernetes")
        && let Some(first) =
            value.service_cidrs.first().and_then(|range| range.nth(address::KUBERNETES_SERVICE_OFFSET.value))
    {
        let object = format!("clusters.{cluster}.serviceCidr");
        return Own::Addresses(vec![first], "the first address of the service range".to_owned(), object);
    }
    if value.services.is_empty() {
        return Own::Unknown(Missing::new(
            format!("the services of `{cluster}`: none is given"),
            "`kubectl get services -A -o yaml`, and name the file under `manifests`".to_owned(),
        ));
    }
    Own::Nothing(Some(format!("there is no service/{namespace}/{name}")))
}

fn selected<'a>(cluster: &'a Cluster, service: &'a Service) -> impl Iterator<Item = &'a Pod> {
    cluster.pods.iter().filter(move |pod| {
        pod.namespace == service.namespace
            && !pod.terminated
            && !service.selector.is_empty()
            && service.selector.iter().all(|(key, value)| pod.labels.get(key) == Some(value))
    })
}

/// A pod behind a service by its host name, or by its address with dashes.
fn pod_of_service(cluster: &ClusterName, value: &Cluster, namespace: &str, service: &str, host: &str) -> Own {
    let Some((at, known)) = known(value, namespace, service) else {
        return unlisted(cluster, value, namespace, service);
    };
    let object = format!("clusters.{cluster}.services.{at}");
    let dashed = dashed_address(host);
    for pod in selected(value, known) {
        if let Some(ip) = dashed.filter(|ip| pod.ips.contains(ip)) {
            return Own::Addresses(vec![ip], format!("pod/{namespace}/{}", pod.name), object);
        }
        if pod.name != host {
            continue;
        }
        // Only pods of a StatefulSet have their name as host name; they are numbered.
        let numbered = pod
            .name
            .rsplit_once('-')
            .is_some_and(|(_, end)| !end.is_empty() && end.bytes().all(|byte| byte.is_ascii_digit()));
        if numbered && !pod.ips.is_empty() {
            return Own::Addresses(pod.ips.clone(), format!("pod/{namespace}/{host}"), object);
        }
        return Own::Unknown(Missing::new(
            format!("the address and the host name of pod/{namespace}/{host}"),
            format!(
                "`kubectl get pod {host} -n {namespace} -o jsonpath={{.spec.hostname}},{{.spec.subdomain}},{{.status.podIPs}}`"
            ),
        ));
    }
    Own::Nothing(Some(format!("service/{namespace}/{service} has no pod `{host}`")))
}

/// `10-244-1-5`, or `fd00--1`.
fn dashed_address(label: &str) -> Option<IpAddr> {
    let v4 = label.replace('-', ".").parse::<Ipv4Addr>().ok().map(IpAddr::V4);
    v4.or_else(|| label.replace('-', ":").parse::<Ipv6Addr>().ok().map(IpAddr::V6))
}
