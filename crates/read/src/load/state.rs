//! One file of Kubernetes objects by itself, for a program that keeps up with what files say rather than judging a design.
//!
//! Only what network policies rest on is read: nodes, namespaces, pods and policies. A file is taken whole or not at all.

use super::{Input, Loader, complete};
use crate::diagnostic::InputError;
use crate::kind::Kind;
use crate::kubernetes;
use crate::merge::{Merge, Origin};
use crate::tree::{MapBuilder, Node};
use causeway_model::design::{Cluster, NoteKind};
use std::collections::{BTreeMap, BTreeSet};

/// What the objects of a file are called before they have a cluster.
const CLUSTER: &str = "kubernetes";

/// What a file says.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// The objects. There are several clusters only where objects are given several times and not the same, without a sign which of
    /// them is the later: then each has one of them.
    pub clusters: Vec<Cluster>,
    /// Policies of kinds nobody here knows: those of the group of network policies, and those whose kind is nearly one that there is. The
    /// namespace whose pods they may be about, `None` = every one; kind and name.
    pub unknown: Vec<(Option<String>, String, String)>,
    /// What was not understood of objects, one sentence each.
    pub remarks: Vec<String>,
}

/// Reads a file of Kubernetes objects, in YAML or JSON: documents, lists, a dump of a cluster. Kinds without a part in policies are
/// passed over.
///
/// # Errors
/// What is wrong with it, each with its line: it is no YAML, it is empty, or something stands in it that is no object with a name.
pub fn state(name: &str, bytes: Vec<u8>) -> Result<State, Vec<String>> {
    let mut loader = Loader::default();
    loader.input(Input { name: name.to_owned(), bytes, kind: Some(Kind::Kubernetes), found: false });
    let outcome = loader.state();
    outcome.map_err(|errors| {
        let worded = |error: InputError| {
            let line = error.at.map(|at| format!("line {}: ", loader.sources.position(at).line));
            // Whoever watches a folder has no `--as`.
            let help = if error.help.is_empty() || error.help.contains("`--as`") {
                String::new()
            } else {
                format!("; {}", error.help)
            };
            format!("{}{}{help}", line.unwrap_or_default(), error.message)
        };
        errors.into_iter().map(worded).collect()
    })
}

impl Loader {
    fn state(&mut self) -> Result<State, Vec<InputError>> {
        let objects: Vec<Node> =
            std::mem::take(&mut self.pending).iter().flat_map(|pending| kubernetes::objects(&pending.node)).collect();
        let mut state = State::default();
        let mut rounds: Vec<Vec<Node>> = Vec::new();
        let mut seen: BTreeMap<kubernetes::Identity, Vec<Node>> = BTreeMap::new();
        for object in objects {
            let identity = match kubernetes::identity(&object) {
                Ok(kubernetes::Subject::Known(identity)) => identity,
                Ok(kubernetes::Subject::UnknownPolicy(namespace, kind, name, hint)) => {
                    state.unknown.push((namespace, kind, name));
                    state.remarks.extend(hint.map(|words| self.at_line(&object, &words)));
                    continue;
                }
                Ok(kubernetes::Subject::Misnamed(words)) => {
                    state.remarks.push(self.at_line(&object, &words));
                    continue;
                }
                Ok(kubernetes::Subject::Other) => continue,
                Err(what) => {
                    self.error(Some(object.span), what, "");
                    continue;
                }
            };
            let twins = seen.entry(identity).or_default();
            if twins.iter().any(|twin| twin.same(&object)) {
                continue;
            }
            // What a cluster has says by its version which state is the later one.
            let round = if kubernetes::is_live(&object) { 0 } else { twins.len() };
            twins.push(object.clone());
            if rounds.len() <= round {
                rounds.resize(round + 1, Vec::new());
            }
            if let Some(round) = rounds.get_mut(round) {
                round.push(object);
            }
        }
        if !self.errors.is_empty() {
            return Err(std::mem::take(&mut self.errors));
        }
        for objects in rounds {
            state.clusters.extend(self.cluster(objects)?);
        }
        let remarks = self.notes.iter().filter(|note| note.kind == NoteKind::NotUnderstood);
        state.remarks.extend(remarks.map(|note| note.message.clone()));
        Ok(state)
    }

    fn at_line(&self, object: &Node, words: &str) -> String {
        let at = object.get("kind").map_or(object.span, |kind| kind.span);
        format!("line {}: {words}", self.sources.position(at).line)
    }

    fn cluster(&mut self, objects: Vec<Node>) -> Result<Vec<Cluster>, Vec<InputError>> {
        let Some(at) = objects.first().map(|object| object.span) else { return Ok(Vec::new()) };
        let stated: BTreeSet<(String, String)> = objects.iter().filter_map(kubernetes::kind_and_name).collect();
        let fragment = kubernetes::translate(objects, &self.sources, &mut self.notes, &mut self.findings);
        let mut merge = Merge { sources: &self.sources, errors: Vec::new(), findings: Vec::new() };
        let mut whole = MapBuilder::new(at).build();
        merge.attach(&mut whole, CLUSTER, fragment.tree, Origin::Export);
        let mut errors = merge.errors;
        self.errors.append(&mut errors);
        let read = self.mean(complete(whole, CLUSTER, true), true)?;
        self.notes.extend(read.design.notes);
        let mut clusters: Vec<Cluster> = read.design.clusters.into_values().collect();
        // A design has the nodes that pods only name, too; there is no saying what they are.
        for cluster in &mut clusters {
            cluster.nodes.retain(|name, _| stated.contains(&("Node".to_owned(), name.to_string())));
            cluster.namespaces.retain(|name, _| stated.contains(&("Namespace".to_owned(), name.clone())));
        }
        Ok(clusters)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<State, Vec<String>> {
        state("x.yaml", text.as_bytes().to_vec())
    }

    const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: shop, labels: {app: web}}\nspec: {nodeName: n1}\nstatus: {podIPs: [{ip: 10.1.0.1}, {ip: 'fd00::1'}]}\n";

    #[test]
    fn a_pod_needs_neither_its_node_nor_its_namespace() {
        let state = read(POD).unwrap();
        let pod = &state.clusters[0].pods[0];
        assert_eq!((pod.name.as_str(), pod.namespace.as_str(), pod.ips.len()), ("a", "shop", 2));
        assert_eq!(pod.node.as_ref().map(ToString::to_string).as_deref(), Some("n1"));
        assert!(state.clusters[0].nodes.is_empty() && state.clusters[0].namespaces.is_empty(), "nor makes them up");
        assert_eq!(state.remarks, Vec::<String>::new());
    }

    #[test]
    fn what_has_no_part_is_passed_over_and_nothing_is_something_to_say() {
        let other = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {x: y}\n";
        for text in [other, "apiVersion: v1\nkind: List\nitems: []\n", "apiVersion: v1\nkind: PodList\nitems: null\n"] {
            let state = read(text).unwrap();
            assert!(state.clusters.iter().all(|cluster| cluster.pods.is_empty()), "{text}");
        }
        assert_eq!(read(&format!("{other}---\n{POD}")).unwrap().clusters[0].pods.len(), 1);
    }

    #[test]
    fn what_is_no_object_spoils_the_file() {
        for (text, words) in [
            ("", "empty"),
            ("# nothing\n", "empty"),
            ("a: 1\n", "kind"),
            ("apiVersion: v1\nkind: Pod\n", "name"),
            ("apiVersion: v1\nkind: Pod\nmetadata: {name: a", "line 3"),
            ("apiVersion: v1\nkind: Status\nstatus: Failure\nmessage: Unauthorized\n", "Unauthorized"),
            (
                "apiVersion: v1\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata: {name: a}\n- apiVersion: v1\n",
                "kind",
            ),
            ("apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {namespace: a}\n", "name"),
        ] {
            let errors = read(text).unwrap_err();
            assert!(errors.iter().any(|error| error.contains(words)), "{text}: {errors:?}");
        }
    }

    #[test]
    fn what_is_given_twice_and_not_the_same_is_there_twice() {
        let other = POD.replace("web", "db");
        let both = read(&format!("{POD}---\n{other}---\n{POD}")).unwrap();
        assert_eq!(both.clusters.len(), 2);
        assert_eq!(both.clusters.iter().map(|cluster| cluster.pods.len()).sum::<usize>(), 2);
        // Of what a cluster had at two times the later counts.
        let live = |text: &str, version: u32| {
            text.replace("{name: a,", &format!("{{name: a, uid: u, resourceVersion: '{version}',"))
        };
        let both = read(&format!("{}---\n{}", live(POD, 9), live(&other, 10))).unwrap();
        assert_eq!(both.clusters.len(), 1);
        assert_eq!(both.clusters[0].pods[0].labels["app"], "db");
    }

    #[test]
    fn a_kind_of_policy_nobody_knows_is_said() {
        let text = "apiVersion: policy.networking.k8s.io/v1\nkind: TenantNetworkPolicy\nmetadata: {name: t}\n";
        assert_eq!(read(text).unwrap().unknown, [(None, "TenantNetworkPolicy".to_owned(), "t".to_owned())]);
    }

    #[test]
    fn a_kind_that_is_nearly_one_is_not_passed_over() {
        for (version, kind, namespace) in [
            ("networking.k8s.io/v1", "Networkpolicy", Some("shop")),
            ("networking.k8s.io/v1", "NetworkPolicies", Some("shop")),
            ("v1", "NetworkPolicy", Some("shop")),
            ("policy/v1", "NetworkPolicy", Some("shop")),
            ("networking.k8.io/v1", "NetworkPolicy", Some("shop")),
            ("policy.networking.k8s.io/v1alpha2", "ClusterNetworkpolicy", None),
            ("networking.k8s.io/v1", "AdminNetworkPolicy", None),
            ("v1", "baselineadminnetworkpolicy", None),
        ] {
            let policy = format!("apiVersion: {version}\nkind: {kind}\nmetadata: {{name: p, namespace: shop}}\n");
            let state = read(&format!("{POD}---\n{policy}")).unwrap();
            let expected = (namespace.map(str::to_owned), kind.to_owned(), "p".to_owned());
            assert_eq!(state.unknown, [expected], "{version}");
            assert!(state.remarks[0].starts_with("line 8: no kind is called `"), "{:?}", state.remarks);
            assert!(state.remarks[0].contains("(object `p`): did you mean"), "{:?}", state.remarks);
            assert_eq!(state.clusters[0].pods.len(), 1);
        }
        // Another engine's are passed over, and said.
        let text = "apiVersion: cilium.io/v2\nkind: CiliumNetworkpolicy\nmetadata: {name: p, namespace: shop}\n";
        let state = read(text).unwrap();
        assert_eq!((state.unknown.len(), state.remarks.len()), (0, 1));
        // What policies rest on can't be left out.
        for text in [POD.replace("kind: Pod", "kind: pod"), POD.replace("v1\n", "apps/v1\n")] {
            let errors = read(&text).unwrap_err();
            assert!(errors[0].contains("did you mean `Pod` of `v1`?"), "{errors:?}");
        }
        // Kinds of their own, and those without a part.
        for (version, kind) in [("crd.antrea.io/v1beta1", "NetworkPolicy"), ("apps/v1", "deployment"), ("v1", "Secret")]
        {
            let text = format!("apiVersion: {version}\nkind: {kind}\nmetadata: {{name: p}}\n");
            let state = read(&text).unwrap();
            assert!(state.unknown.is_empty() && state.remarks.is_empty(), "{version} {kind}");
        }
    }
}
