//! Kubernetes objects together with what others say of the same cluster.

use causeway_model::design::{Design, NoteKind};
use causeway_read::files::MemoryFiles;
use causeway_read::tree::{Node, to_yaml};
use causeway_read::{Input, Loaded, load};

fn read(inputs: &[(&str, &str)], files: &[(&str, &str)]) -> Loaded {
    let files = MemoryFiles(files.iter().map(|(name, text)| (name.to_string(), text.as_bytes().to_vec())).collect());
    let input = |(name, text): &(&str, &str)| Input {
        name: name.to_string(),
        bytes: text.as_bytes().to_vec(),
        kind: None,
        found: false,
    };
    load(inputs.iter().map(input).collect(), &files)
}

fn good(inputs: &[(&str, &str)], files: &[(&str, &str)]) -> (Design, Node) {
    let read = read(inputs, files).outcome.unwrap_or_else(|errors| panic!("{errors:#?}"));
    (read.design, read.tree)
}

fn cluster(tree: &Node, name: &str) -> String {
    to_yaml(tree.get("clusters").and_then(|clusters| clusters.get(name)).unwrap())
}

fn findings(design: &Design) -> Vec<String> {
    design.findings.iter().map(|finding| format!("{} {}: {}", finding.code, finding.object, finding.message)).collect()
}

const AKS: &str = r#"{
  "id": "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/shop-rg/providers/Microsoft.ContainerService/managedClusters/shop",
  "name": "shop", "type": "Microsoft.ContainerService/managedClusters", "location": "westeurope", "kubernetesVersion": "1.33.4",
  "agentPoolProfiles": [{"name": "system", "count": 3, "maxPods": 250, "mode": "System", "osType": "Linux", "type": "VirtualMachineScaleSets"}],
  "networkProfile": {"networkPlugin": "azure", "networkPluginMode": "overlay", "podCidr": "10.244.0.0/16", "serviceCidr": "10.0.0.0/16",
    "dnsServiceIp": "10.0.0.10", "networkPolicy": "none", "networkDataplane": "azure", "outboundType": "loadBalancer"}
}"#;

fn node(cluster: &str, name: &str, pool: &str, ip: &str) -> String {
    format!(
        "{{apiVersion: v1, kind: Node, metadata: {{name: {name}, labels: {{agentpool: {pool}}}}}, \
         spec: {{providerID: 'azure:///subscriptions/s/resourceGroups/mc_rg_{cluster}_westeurope/providers/x'}}, \
         status: {{capacity: {{pods: '110'}}, addresses: [{{type: InternalIP, address: {ip}}}], nodeInfo: {{kubeletVersion: v1.33.2}}}}}}\n"
    )
}

#[test]
fn what_follows_from_nodes_fills_gaps_and_contradicts_nobody() {
    let nodes = format!("{}---\n{}", node("shop", "n1", "system", "10.1.0.4"), node("shop", "n2", "user", "10.1.0.5"));
    for inputs in [[("aks.json", AKS), ("nodes.yaml", &nodes)], [("nodes.yaml", &nodes), ("aks.json", AKS)]] {
        let (design, _) = good(&inputs, &[]);
        assert_eq!(findings(&design), [""; 0]);
        let cluster = &design.clusters["shop"];
        assert_eq!(cluster.pools["system"].nodes.count, Some(3));
        assert_eq!(cluster.pools["system"].max_pods, Some(250));
        assert_eq!(cluster.pools["user"].nodes.count, Some(1));
        assert_eq!(cluster.version.unwrap().to_string(), "1.33.4");
    }
}

#[test]
fn what_runs_contradicts_what_the_cluster_states() {
    let npm = "{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: azure-npm, namespace: kube-system}, spec: {template: {spec: {containers: []}}}}";
    let (design, _) = good(&[("aks.json", AKS), ("npm.yaml", npm)], &[]);
    assert_eq!(
        findings(&design),
        [
            "exports-disagree clusters.shop.networkPolicy: two inputs disagree about `clusters.shop.networkPolicy`: `none`, then `azure`"
        ]
    );
}

const DESIGN: &str = "\
causeway: 1
networks:
  spoke:
    prefixes: [10.0.0.0/16]
    subnets: {nodes: {prefix: 10.0.0.0/24}, agc: {prefix: 10.0.10.0/24}}
clusters:
  prod:
    mode: overlay
    pools: {system: {nodes: 3, subnet: spoke/nodes}}
    manifests: [live/*.yaml]
    nodes:
      n1: {ip: 10.0.0.4, pool: system, zone: 1}
    ingress:
      - {kind: applicationGatewayForContainers, subnet: spoke/agc}
    pods:
      - {name: app, namespace: shop, node: n1, ip: 10.244.0.9, labels: {app: app}, listens: [tcp/8080]}
    services:
      - {name: app, namespace: shop, ports: [tcp/80->8080], selector: {app: app}}
    policies:
      - {apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: deny, namespace: shop}, spec: {podSelector: {}}}
";

const LIVE: &str = "\
apiVersion: v1
kind: Pod
metadata: {name: app, namespace: shop, labels: {app: app, pod-template-hash: abc}}
spec: {nodeName: n1, containers: [{ports: [{containerPort: 8080, name: http}]}]}
status: {phase: Running, hostIP: 10.0.0.4, podIP: 10.244.0.9}
---
apiVersion: v1
kind: Service
metadata: {name: app, namespace: shop}
spec: {type: ClusterIP, clusterIP: 10.0.3.3, ports: [{port: 80, targetPort: 8080, nodePort: 30080}], selector: {app: app}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny, namespace: shop, uid: x}
spec: {podSelector: {}}
---
apiVersion: alb.networking.azure.io/v1
kind: ApplicationLoadBalancer
metadata: {name: alb, namespace: shop}
spec: {associations: [/subscriptions/s/resourceGroups/net/providers/Microsoft.Network/virtualNetworks/SPOKE/subnets/agc]}
";

#[test]
fn short_forms_and_objects_of_one_name_are_one() {
    let (design, tree) = good(&[("design.yaml", DESIGN)], &[("live/a.yaml", LIVE)]);
    assert_eq!(findings(&design), [""; 0]);
    let expected = "\
mode: overlay
pools:
  system:
    nodes: 3
    subnet: spoke/nodes
nodes:
  n1:
    ip: 10.0.0.4
    pool: system
    zone: 1
ingress:
  - kind: applicationGatewayForContainers
    subnet: spoke/agc
pods:
  - name: app
    namespace: shop
    node: n1
    ip: 10.244.0.9
    labels:
      app: app
      pod-template-hash: abc
    listens: [tcp/8080, http=tcp/8080]
services:
  - name: app
    namespace: shop
    ports: [tcp/80->8080]
    selector:
      app: app
    type: ClusterIP
    clusterIp: 10.0.3.3
policies:
  - apiVersion: networking.k8s.io/v1
    kind: NetworkPolicy
    metadata:
      name: deny
      namespace: shop
    spec:
      podSelector: {}
";
    assert_eq!(cluster(&tree, "prod"), expected);
    assert_eq!(design.clusters["prod"].pods[0].listens.len(), 2);
    assert_eq!(design.clusters["prod"].pods[0].named_ports.len(), 1);
}

#[test]
fn an_object_that_contradicts_the_design_is_said_with_its_name() {
    let live = LIVE
        .replace("podIP: 10.244.0.9", "podIP: 10.244.0.10")
        .replace("spec: {podSelector: {}}", "spec: {podSelector: {a: b}}");
    let (design, _) = good(&[("design.yaml", DESIGN)], &[("live/a.yaml", &live)]);
    assert_eq!(
        findings(&design),
        [
            "exports-disagree clusters.prod.pods.shop/app.ip: two inputs disagree about `clusters.prod.pods.shop/app.ip`: `10.244.0.9`, then `10.244.0.10`",
            "exports-disagree clusters.prod.policies.NetworkPolicy.networking.k8s.io/shop/deny: two inputs give \
             `clusters.prod.policies.NetworkPolicy.networking.k8s.io/shop/deny`, and not the same",
        ]
    );
    assert_eq!(design.clusters["prod"].pods[0].ips[0].to_string(), "10.244.0.9");
}

#[test]
fn a_subnet_nobody_gave_is_said_and_left_out() {
    let alb = LIVE.rsplit("---\n").next().unwrap();
    let (design, tree) = good(&[("alb.yaml", alb)], &[]);
    assert_eq!(cluster(&tree, "kubernetes"), "ingress:\n  - kind: applicationGatewayForContainers\n");
    let unknown: Vec<&str> =
        design.notes.iter().filter(|note| note.kind == NoteKind::Unknown).map(|note| note.message.as_str()).collect();
    assert!(unknown.contains(&"subnet `SPOKE/agc` of an ingress is not among the networks given"), "{unknown:?}");
}

#[test]
fn objects_go_to_the_cluster_their_nodes_are_of() {
    let two = "causeway: 1\nclusters: {blue: {mode: overlay}, green: {mode: overlay}}\n";
    let (blue, green) = (node("blue", "n", "system", "10.1.0.4"), node("green", "n", "system", "10.2.0.4"));
    let (design, _) = good(&[("two.yaml", two), ("g.yaml", &green), ("b.yaml", &blue)], &[]);
    let ip = |cluster: &str| design.clusters[cluster].nodes["n"].ips[0].to_string();
    assert_eq!((ip("blue"), ip("green")), ("10.1.0.4".to_owned(), "10.2.0.4".to_owned()));

    // Without a design the resource group of the machines is the name.
    let (design, _) = good(&[("g.yaml", &green), ("b.yaml", &blue)], &[]);
    let names: Vec<&str> = design.clusters.keys().map(|name| name.as_str()).collect();
    assert_eq!(names, ["mc_rg_blue_westeurope", "mc_rg_green_westeurope"]);

    // What says nothing of its cluster can't be placed when there are two.
    let pod = "{apiVersion: v1, kind: Pod, metadata: {name: p}}";
    let loaded = read(&[("two.yaml", two), ("g.yaml", &green), ("b.yaml", &blue), ("p.yaml", pod)], &[]);
    let messages: Vec<String> = loaded.outcome.unwrap_err().into_iter().map(|error| error.message).collect();
    assert_eq!(messages, ["can't tell which of 2 clusters the objects in `p.yaml` are of"]);
    // Files of one folder belong together.
    let files = [("two.yaml", two), ("g/nodes.yaml", &green), ("b/nodes.yaml", &blue), ("b/pods.yaml", pod)];
    let (design, _) = good(&files, &[]);
    assert_eq!((design.clusters["blue"].pods.len(), design.clusters["green"].pods.len()), (1, 0));
    // When all others are of one, it is of that.
    let (design, _) = good(&[("two.yaml", two), ("g.yaml", &green), ("p.yaml", pod)], &[]);
    assert_eq!((design.clusters["blue"].pods.len(), design.clusters["green"].pods.len()), (0, 1));
}

#[test]
fn a_policy_that_has_no_name_is_refused() {
    let policy = "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {generateName: x-}, spec: {podSelector: {}}}";
    let errors = read(&[("p.yaml", policy)], &[]).outcome.unwrap_err();
    assert_eq!(errors[0].message, "a policy needs `apiVersion`, `kind` and `metadata.name`");
}

#[test]
fn the_same_in_other_words_is_no_contradiction() {
    let design = "\
causeway: 1
clusters:
  shop:
    pools: {system: {nodes: 1}}
    nodes: {n1: {ip: 10.1.0.4, zone: 1, labels: {spot: true}}}
    services: [{name: web, namespace: default, clusterIp: [10.0.3.3], type: ClusterIP, ports: [tcp/80]}]
";
    let live = "\
{apiVersion: v1, kind: Node, metadata: {name: n1, labels: {spot: 'true', agentpool: system, topology.kubernetes.io/zone: we-1,
  topology.kubernetes.io/region: we}}, spec: {providerID: 'azure:///x'},
  status: {addresses: [{type: InternalIP, address: 10.1.0.4}, {type: InternalIP, address: 'fd00::4'}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {clusterIP: 10.0.3.3, clusterIPs: [10.0.3.3, 'fd00:3::3'], selector: {a: b}, ports: [{port: 80}]}}
";
    let (design, _) = good(&[("design.yaml", design), ("live.yaml", live)], &[]);
    assert_eq!(findings(&design), [""; 0]);
    let cluster = &design.clusters["shop"];
    assert_eq!(cluster.nodes["n1"].ips.len(), 2);
    assert_eq!(cluster.nodes["n1"].zone.as_deref(), Some("1"));
    assert_eq!(cluster.services[0].cluster_ips.len(), 2);
}

#[test]
fn what_follows_from_manifests_waits_for_what_others_state() {
    let design = "causeway: 1\nclusters: {shop: {manifests: nodes.yaml}}\n";
    let nodes = node("shop", "n1", "system", "10.1.0.4");
    let (design, _) = good(&[("design.yaml", design), ("aks.json", AKS)], &[("nodes.yaml", &nodes)]);
    assert_eq!(findings(&design), [""; 0]);
    assert_eq!(design.clusters["shop"].pools["system"].nodes.count, Some(3));
}

#[test]
fn other_ranges_of_services_extend_the_cluster_s_own() {
    let objects = |own: &str| {
        format!(
            "{{apiVersion: networking.k8s.io/v1, kind: ServiceCIDR, metadata: {{name: extra}}, spec: {{cidrs: [10.60.0.0/20]}}}}\n---\n\
             {{apiVersion: networking.k8s.io/v1, kind: ServiceCIDR, metadata: {{name: kubernetes}}, spec: {{cidrs: [{own}]}}}}\n"
        )
    };
    let ranges =
        |design: &Design| design.clusters["shop"].service_cidrs.iter().map(ToString::to_string).collect::<Vec<_>>();
    let (design, _) = good(&[("aks.json", AKS), ("cidrs.yaml", &objects("10.0.0.0/16"))], &[]);
    assert_eq!(
        (ranges(&design), findings(&design)),
        (vec!["10.0.0.0/16".to_owned(), "10.60.0.0/20".to_owned()], vec![])
    );
    // Those of another cluster are none of its own.
    let (design, _) = good(&[("aks.json", AKS), ("cidrs.yaml", &objects("10.96.0.0/16"))], &[]);
    assert_eq!(ranges(&design), ["10.0.0.0/16"]);
    assert_eq!(
        findings(&design),
        [
            "exports-disagree clusters.shop.serviceCidr: two inputs disagree about `clusters.shop.serviceCidr`: `10.0.0.0/16`, then `[10.96.0.0/16, 10.60.0.0/20]`"
        ]
    );
}

#[test]
fn a_pool_without_its_subnets_is_none_where_pods_live_on_subnets() {
    let design = "\
causeway: 1
networks: {v: {prefixes: [10.0.0.0/16], subnets: {n: {prefix: 10.0.0.0/24}, p: {prefix: 10.0.16.0/20}}}}
clusters: {shop: {mode: podSubnet, pools: {system: {nodes: 1, subnet: v/n, podSubnet: v/p}}}}
";
    let nodes = format!("{}---\n{}", node("shop", "n1", "system", "10.0.0.4"), node("shop", "n2", "new", "10.0.0.5"));
    let (read, _) = good(&[("design.yaml", design), ("nodes.yaml", &nodes)], &[]);
    let cluster = &read.clusters["shop"];
    assert_eq!(cluster.pools.keys().map(|name| name.as_str()).collect::<Vec<_>>(), ["system"]);
    assert_eq!(cluster.nodes["n1"].pool.as_ref().map(|name| name.as_str()), Some("system"));
    assert_eq!(cluster.nodes["n2"].pool, None);
    let message = "pool `new` of `clusters.shop` is known by its nodes only: its subnets are not";
    assert!(read.notes.iter().any(|note| note.kind == NoteKind::Unknown && note.message == message));
    // In other modes a pool needs no subnet of its own.
    let (read, _) = good(
        &[
            ("design.yaml", &design.replace("mode: podSubnet", "mode: overlay").replace(", podSubnet: v/p", "")),
            ("nodes.yaml", &nodes),
        ],
        &[],
    );
    assert_eq!(read.clusters["shop"].pools["new"].nodes.count, Some(1));
}

#[test]
fn findings_about_objects_name_the_cluster() {
    let state = "{apiVersion: acn.azure.com/v1alpha1, kind: ClusterSubnetState, metadata: {name: pods}, status: {exhausted: true}}";
    let (design, _) = good(&[("aks.json", AKS), ("state.yaml", state)], &[]);
    assert_eq!(
        findings(&design),
        ["subnet-full clusters.shop.pools: the control plane says that pod subnet `pods` is exhausted"]
    );
}

#[test]
fn what_is_imported_reads_back_as_it_was() {
    for (name, text, _) in super::CASES {
        let (design, tree) = good(&[(name, text)], &[]);
        let printed = to_yaml(&tree);
        let (again, printed_again) = good(&[("imported.yaml", &printed)], &[]);
        assert_eq!(to_yaml(&printed_again), printed, "{name}");
        let strip = |design: &Design| {
            let mut clusters = design.clusters.clone();
            for cluster in clusters.values_mut() {
                cluster.masquerade = None; // knows its places
            }
            clusters
        };
        assert_eq!(strip(&again), strip(&design), "{name}");
    }
}
