//! Whether policies let a pod ask the cluster's DNS where nobody described it: it is there in every cluster all the same.

use crate::answer::{Decision, Missing, Owner};
use crate::names::{Answer, Querier};
use crate::node::Process;
use crate::origin::{Kind, Origin};
use crate::world::{ClusterView, World};
use causeway_model::design::{Pod, Protocol};
use causeway_model::facts::special;
use causeway_model::policy::Direction;
use causeway_policy::{End, Event, Explanation, Flow, Index, PodInfo, Verdict};
use std::collections::BTreeMap;

/// What keeps a pod from asking: a policy, or a fact that is not known.
pub(super) fn stop(world: &World, from: &Origin, answer: &Answer) -> Option<Result<Decision, Missing>> {
    let Kind::OnNode(sender) = &from.kind else { return None };
    let Process::Pod(Some(pod)) = sender.process else { return None };
    let view = world.cluster(sender.machine.cluster)?;
    let query = answer.queries.first()?.iter().find(|query| query.from == Querier::Asker)?;
    let on_node = special::LINK_LOCAL.contains(query.server);
    let in_cluster = view.cluster.service_cidrs.iter().any(|range| range.contains(query.server));
    let walked = view.is_served(query.server);
    if view.cluster.policies.is_empty() || !(on_node || (in_cluster && !walked)) {
        return None;
    }
    let own = End::Pod(pod.namespace.clone(), pod.name.clone());
    if !view.policies().is_isolated(&own, Direction::Egress) {
        return None;
    }
    let with_dns;
    let (index, servers) = if on_node {
        (view.policies(), vec![End::Address(query.server)])
    } else {
        let known: Vec<&Pod> = view.cluster.pods.iter().filter(|pod| is_dns(pod)).collect();
        match known.is_empty() {
            true => {
                with_dns = with_dns_pod(view.policies());
                (&with_dns, vec![End::Pod("kube-system".to_owned(), UNSEEN.to_owned())])
            }
            false => {
                let ends = known.iter().map(|pod| End::Pod(pod.namespace.clone(), pod.name.clone()));
                (view.policies(), ends.collect())
            }
        }
    };
    let flows = servers.into_iter().filter(|server| *server != own).map(|to| Flow {
        from: own.clone(),
        to,
        protocol: Protocol::Udp,
        port: 53,
        family: None,
    });
    let explained: Vec<Explanation> = flows.filter_map(|flow| index.explain(&flow)).collect();
    let says = |wanted: Verdict| explained.iter().find(|explained| explained.of(Direction::Egress) == wanted);
    if says(Verdict::Allowed).is_some() {
        return None;
    }
    let whose = format!("pod/{}/{}", pod.namespace, pod.name);
    if let Some(unsure) = says(Verdict::Uncertain) {
        let fact = unsure.missing.first().cloned();
        return Some(Err(Missing::new(
            fact.unwrap_or_else(|| format!("whether policies let {whose} ask the cluster's DNS")),
            "import the cluster as it runs (`kubectl get pods,namespaces,nodes,networkpolicies -A -o yaml`)",
        )));
    }
    Some(Ok(decision(view, &whose, says(Verdict::Denied)?)))
}

const UNSEEN: &str = "coredns.";

pub(super) fn is_dns(pod: &Pod) -> bool {
    let labelled = pod.labels.get("k8s-app").is_some_and(|label| label == "kube-dns");
    pod.namespace == "kube-system" && labelled && !pod.terminated
}

/// The pods as they are, and one of the cluster's DNS beside them.
fn with_dns_pod(index: &Index) -> Index {
    let mut index = index.clone();
    index.apply(Event::Pod(PodInfo {
        namespace: "kube-system".to_owned(),
        name: UNSEEN.to_owned(),
        labels: BTreeMap::from([("k8s-app".to_owned(), "kube-dns".to_owned())]),
        ips: Vec::new(),
        node: None,
        host_network: false,
        ports: BTreeMap::from([("dns".to_owned(), (Protocol::Udp, 53)), ("dns-tcp".to_owned(), (Protocol::Tcp, 53))]),
    }));
    index
}

fn decision(view: &ClusterView, whose: &str, explained: &Explanation) -> Decision {
    let path = format!("clusters.{}", view.name);
    let step = explained.steps.iter().rfind(|step| step.direction == Direction::Egress);
    let id = step.and_then(|step| step.policy.as_ref());
    let mut objects = view.cluster.policies.iter();
    let at = objects.position(|object| object.meaning.as_ref().is_some_and(|meaning| Some(&meaning.id) == id));
    let because = match (id, step) {
        (Some(id), Some(step)) => format!("{whose} can't ask the cluster's DNS: `{id}`: {}", step.because),
        _ => format!("{whose} can't ask the cluster's DNS"),
    };
    Decision::new(Owner::NetworkPolicy, at.map_or_else(|| path.clone(), |at| format!("{path}.policies.{at}")), because)
}
