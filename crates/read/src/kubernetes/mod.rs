//! Kubernetes objects become parts of a cluster.
//!
//! Objects are taken out of their lists ([`objects`]), told apart and sorted, and each subject reads those it knows
//! ([`translate`]). What comes out does not depend on the order of what went in. Kinds nobody here knows are said, one note
//! for each; kinds without a part in the network are counted. Secrets are counted, never read.

mod entries;
mod ingress;
mod ipam;
mod kind;
mod masquerade;
mod nodes;
mod object;
mod pods;
pub mod policy;
mod remarks;
mod routed;
mod services;
mod settle;
mod shapes;
mod systems;
mod trim;
mod value;
mod words;

use crate::tree::{Entry, MapBuilder, Node};
use causeway_model::design::Note;
use causeway_model::finding::Finding;
use causeway_model::source::{FileId, Sources, Span};
pub(crate) use object::{Identity, Subject, identity_of as identity, is_live, kind_and_name};
use object::{Inventory, Object};
use remarks::Remarks;
pub(crate) use settle::{fitting, settle, subnet_words};

/// What objects say about the cluster they are of.
#[derive(Debug, Clone)]
pub struct ClusterFragment {
    /// A mapping in the language of `clusters.NAME`.
    pub tree: Node,
    /// The same for what only follows from the objects (a pool's size from the nodes seen): it fills gaps, and whoever states
    /// it otherwise is right.
    pub implied: Node,
}

/// The objects of a document: itself, or the items of a list.
pub fn objects(document: &Node) -> Vec<Node> {
    object::of_document(document)
}

/// Lower-case texts that may name the cluster of some objects: ids of its machines (`.../mc_rg_name_region/...`).
pub fn hints(objects: &[Node]) -> Vec<String> {
    nodes::hints(objects)
}

/// What the subjects share.
struct Cx<'a> {
    all: &'a Inventory,
    sources: &'a Sources,
    remarks: Remarks,
}

impl Cx<'_> {
    /// A value that can't be what it stands for: said, and left out.
    fn strange(&mut self, object: &Object, field: &str, value: &Node, wanted: &str) {
        let shown = |text: &str| format!("`{}`", text.chars().take(60).collect::<String>().replace('\n', " "));
        let found = match value.text() {
            Some(text) if value.is_null() && text.is_empty() => "nothing".to_owned(),
            // In quotes a number or a boolean is something else.
            Some(text) if value.as_str().is_some() && Node::plain(value.span, text).as_str().is_none() => {
                format!("the text {}", shown(text))
            }
            Some(text) => shown(text),
            None => value.type_name().to_owned(),
        };
        let message =
            format!("`{field}` of {} `{}` must be {wanted}, not {found}: left out", object.word, object.who());
        self.remarks.not_understood(value.span, message);
    }

    /// Labels, annotations or a selector: texts by name.
    fn labels<'n>(
        &mut self,
        object: &Object,
        field: &str,
        all: &Node,
        entries: impl Iterator<Item = &'n Entry>,
    ) -> Option<Node> {
        if all.as_map().is_none() {
            self.strange(object, field, all, "a mapping");
            return None;
        }
        let mut builder = MapBuilder::new(all.span);
        for entry in entries {
            if field.ends_with("labels") {
                self.label(object, field, entry);
            }
            match entry.node.text() {
                // Kubernetes takes nothing for the empty text.
                Some(_) if entry.node.is_null() => {
                    builder = builder.set(&entry.key, entry.key_span, Node::str(entry.node.span, ""));
                }
                Some(_) => builder = builder.set(&entry.key, entry.key_span, entry.node.clone()),
                None => self.strange(object, &format!("{field}.{}", entry.key), &entry.node, "text"),
            }
        }
        value::mapping(builder)
    }

    /// What the API server would say of a label.
    fn label(&mut self, object: &Object, field: &str, entry: &Entry) {
        let key: String = entry.key.chars().take(80).collect();
        let who = format!("{} `{}`", object.word, object.who());
        if !words::is_label_key(&entry.key) {
            let message = format!("`{key}` in `{field}` of {who} is no name of a label");
            self.remarks.refused(entry.key_span, message);
        }
        // What is no text at all is said already.
        if let (Some(text), Err(wanted)) = (entry.node.text(), words::label_text(&entry.node)) {
            let text: String = text.chars().take(80).collect();
            let message = format!("`{field}.{key}` of {who} must be {wanted}, not `{text}`");
            self.remarks.refused(entry.node.span, message);
        }
    }

    /// The namespace as written, else the one that is meant.
    fn namespace(&self, object: &Object) -> Option<Node> {
        let written = value::said(&object.node, &["metadata", "namespace"]);
        let meant = || object.namespace.as_deref().map(|namespace| Node::str(object.at, namespace));
        written.cloned().or_else(meant)
    }
}

/// Translates objects of one cluster into its part of a design. Findings are about `clusters.*`: the caller knows the name.
pub fn translate(
    objects: Vec<Node>,
    sources: &Sources,
    notes: &mut Vec<Note>,
    findings: &mut Vec<Finding>,
) -> ClusterFragment {
    let span = objects.first().map_or(Span { file: FileId(0), start: 0, end: 0 }, |object| object.span);
    let mut remarks = Remarks::default();
    let all = Inventory::new(objects, &mut remarks);
    let mut cx = Cx { all: &all, sources, remarks };
    shapes::check(&mut cx);

    let known = nodes::Nodes::new(&cx);
    let on_nodes = nodes::AboutCluster::new(&cx);
    let of_services = services::AboutCluster::new(&cx);
    let cilium = systems::Cilium::new(&mut cx);
    let kubeadm = systems::Kubeadm::new(&cx);
    let overlay = ipam::overlay(&cx);
    let host_routing = on_nodes.ebpf_host_routing.or(cilium.host_routing.clone());
    let bypassed = host_routing.as_ref().and_then(Node::as_bool_12) == Some(true);
    let runs = cilium.runs.map(|at| Node::str(at, "cilium"));
    let tree = MapBuilder::new(span)
        .set("dataplane", None, runs.or(on_nodes.cilium))
        .set("ebpfHostRouting", None, host_routing)
        .set("networkPolicy", None, systems::engine(&mut cx, &cilium))
        .set("kubeProxy", None, systems::kube_proxy(&mut cx, &cilium))
        .set("ipam", None, ipam::settings(&mut cx))
        .set("masquerade", None, masquerade::section(&mut cx, &cilium, bypassed))
        .set("ingress", None, ingress::section(&mut cx))
        .set("nodes", None, known.section(&mut cx))
        .set("namespaces", None, nodes::namespaces(&mut cx))
        .set("pods", None, pods::pods(&mut cx))
        .set("services", None, services::services(&mut cx))
        .set("policies", None, trim::policies(&mut cx))
        .build();
    let api_server = of_services.api_server_ip;
    let implied = MapBuilder::new(span)
        .set("location", None, on_nodes.location)
        .set("mode", None, overlay.mode)
        .set("version", None, on_nodes.version)
        .set("networkPolicy", None, on_nodes.engine)
        .set("podCidr", None, overlay.pod_cidr.or(cilium.pod_cidr).or(kubeadm.pod_cidr))
        .set("serviceCidr", None, of_services.service_cidr.or(kubeadm.service_cidr))
        .set("dnsServiceIp", None, of_services.dns_service_ip)
        .set("ipFamilies", None, on_nodes.families)
        .set("apiServer", None, api_server.map(|ip| MapBuilder::new(ip.span).set("privateIp", None, ip).build()))
        .set("pools", None, nodes::implied_pools(&cx, &known))
        .set("localDns", None, on_nodes.local_dns)
        .set("nodeAutoProvisioning", None, on_nodes.provisioned)
        .build();
    ipam::exhausted(&mut cx);
    nodes::foreign_rules(&mut cx);
    masquerade::scripts(&mut cx);
    systems::dns(&mut cx);
    cx.remarks.tell(notes, findings);
    ClusterFragment { tree, implied }
}
