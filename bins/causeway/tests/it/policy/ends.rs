//! Ends of a question in every form the language has, and what services do to them.

use super::*;

/// Two nodes with a pod of `app: web` and a client each, and a load balancer before the web pods, which let the clients in.
fn balanced(traffic: &str, ranges: &str, peers: &str) -> String {
    let node = |name: &str, ip: &str| {
        format!(
            "{{apiVersion: v1, kind: Node, metadata: {{name: {name}}}, status: {{addresses: [{{type: InternalIP, address: {ip}}}]}}}}\n---\n"
        )
    };
    let pod = |name: &str, app: &str, node: &str, ip: &str| {
        format!(
            "{{apiVersion: v1, kind: Pod, metadata: {{name: {name}, namespace: shop, labels: {{app: {app}}}}}, spec: {{nodeName: {node}, \
             containers: [{{name: c, ports: [{{name: http, containerPort: 8080}}]}}]}}, status: {{phase: Running, podIPs: [{{ip: {ip}}}]}}}}\n---\n"
        )
    };
    [
        node("n1", "10.1.0.4"),
        node("n2", "10.1.0.5"),
        pod("web", "web", "n1", "10.2.0.1"),
        pod("near", "client", "n1", "10.2.0.2"),
        pod("far", "client", "n2", "10.2.1.2"),
        format!(
            "{{apiVersion: v1, kind: Service, metadata: {{name: web, namespace: shop}}, spec: {{type: LoadBalancer, clusterIP: 10.0.0.10, \
             externalTrafficPolicy: {traffic}, {ranges} selector: {{app: web}}, ports: [{{port: 80, targetPort: http, nodePort: 30080}}]}}, \
             status: {{loadBalancer: {{ingress: [{{ip: 20.1.2.3}}]}}}}}}\n---\n"
        ),
        format!(
            "{{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {{name: web, namespace: shop}}, \
             spec: {{podSelector: {{matchLabels: {{app: web}}}}, ingress: [{{from: {peers}}}]}}}}\n"
        ),
    ]
    .concat()
}

#[test]
fn a_load_balancers_address_is_translated_as_kube_proxy_does_it() {
    let clients = "[{podSelector: {matchLabels: {app: client}}}]";
    let nodes = "[{ipBlock: {cidr: 10.1.0.0/24}}]";
    let all = "[{ipBlock: {cidr: 0.0.0.0/0}}]";
    let none = "";
    let few = "loadBalancerSourceRanges: [10.2.0.0/24],";
    let (inside, front, node) = ("10.0.0.10:80", "20.1.2.3:80", "node/n2:30080");
    for (traffic, ranges, peers, from, to, verdict) in [
        // The address inside leaves the sender's alone.
        ("Cluster", none, clients, "pod/shop/far", inside, "allowed"),
        ("Cluster", none, clients, "pod/shop/far", "service/shop/web:80", "allowed"),
        ("Cluster", none, clients, "pod/shop/far", "web.shop.svc.cluster.local:80", "allowed"),
        // From another node it comes with the node's address; on the same node policies are asked before that.
        ("Cluster", none, clients, "pod/shop/far", front, "denied"),
        ("Cluster", none, nodes, "pod/shop/far", front, "allowed"),
        ("Cluster", none, clients, "pod/shop/near", front, "allowed"),
        ("Cluster", none, nodes, "pod/shop/near", front, "denied"),
        ("Cluster", none, clients, "pod/shop/far", node, "denied"),
        ("Local", none, clients, "pod/shop/far", front, "allowed"),
        // From outside it may enter at either node.
        ("Cluster", none, "[{ipBlock: {cidr: 198.51.100.0/24}}]", "198.51.100.7", front, "uncertain"),
        ("Cluster", none, nodes, "198.51.100.7", front, "uncertain"),
        ("Cluster", none, all, "198.51.100.7", front, "allowed"),
        ("Cluster", none, clients, "198.51.100.7", front, "denied"),
        ("Local", none, "[{ipBlock: {cidr: 198.51.100.0/24}}]", "198.51.100.7", front, "allowed"),
        ("Local", none, nodes, "198.51.100.7", front, "denied"),
        ("Cluster", none, nodes, "internet", "service/shop/web:80", "uncertain"),
        // Who is not let in by the service itself is not let in.
        ("Local", few, all, "pod/shop/near", front, "allowed"),
        ("Local", few, all, "pod/shop/far", front, "denied"),
        ("Local", few, all, "pod/shop/far", inside, "allowed"),
        ("Local", few, all, "internet", front, "uncertain"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        write(&folder.path().join("all.yaml"), balanced(traffic, ranges, peers));
        let args = ["policy", "explain", "all.yaml", "--from", from, "--to", to, "--format", "json"];
        let run = run_in(folder.path(), &args, "");
        assert!(!run.stdout.is_empty(), "{}", run.stderr);
        let answer = run.json();
        let what = format!("{traffic} {ranges} {peers}: {from} to {to}: {}", run.stdout);
        assert_eq!((&answer["verdict"], run.code), (&json!(verdict), i32::from(verdict != "allowed")), "{what}");
        assert_eq!(answer["flow"]["port"], 8080, "{what}");
        assert_eq!(answer["missing"].as_array().unwrap().is_empty(), verdict != "uncertain", "{what}");
        let translated = answer["notes"].to_string().contains("the load balancer's address of service `shop/web`");
        assert_eq!(translated, to == front, "{what}");
    }
    // Without nodes it is not known what address a node has.
    let without: String = balanced("Cluster", none, nodes).split("---\n").skip(2).collect::<Vec<_>>().join("---\n");
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("all.yaml"), &without);
    let args = ["policy", "explain", "all.yaml", "--from", "pod/shop/far", "--to", front, "--format", "json"];
    let run = run_in(folder.path(), &args, "");
    assert_eq!(run.json()["verdict"], "uncertain", "{}", run.stdout);
}

const ESTATE: &str = r#"
causeway: 1
name: estate
networks:
  hub: {prefixes: [10.0.0.0/16], subnets: {nodes: {prefix: 10.0.0.0/24}, other: {prefix: 10.0.1.0/24}}}
hosts: {jump: {ip: 10.0.9.4, network: hub}}
privateEndpoints: {kv: {ip: 10.0.1.9, subnet: hub/other, names: [kv.vault.azure.net]}}
publicDns: {api.example.com: {address: 20.5.5.5}}
clusters:
  east:
    mode: overlay
    podCidr: 10.244.0.0/16
    serviceCidr: 10.96.0.0/16
    pools: {system: {subnet: hub/nodes}, other: {subnet: hub/nodes}}
    nodes: {n1: {ip: 10.0.0.4, pool: system}}
    namespaces: {shop: {}}
    pods:
      - {name: web, namespace: shop, ip: 10.244.0.5, node: n1, labels: {app: web}, listens: [http=tcp/8080]}
      - {name: db, namespace: shop, ip: 10.244.0.6, node: n1, labels: {app: db}, listens: [tcp/5432]}
  west:
    mode: overlay
    podCidr: 10.245.0.0/16
    serviceCidr: 10.97.0.0/16
    pools: {system: {subnet: hub/nodes}}
"#;

#[test]
fn every_form_of_an_end_works_or_says_why_not() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("estate.yaml"), ESTATE);
    let run = |from: &str, to: &str| {
        let args = ["policy", "explain", "estate.yaml", "--cluster", "east", "--from", from, "--to", to];
        run_in(folder.path(), &args, "")
    };
    let web = "pod/shop/web";
    for (from, to, says) in [
        ("east/pod/shop/web", "east/pod/shop/db:5432", "pod/shop/web to pod/shop/db on tcp/5432"),
        ("node/n1", "pod/shop/web:http", "node/n1 to pod/shop/web on tcp/8080"),
        ("host/jump", "pod/shop/web:80", "10.0.9.4 to pod/shop/web"),
        ("pool/east/system", "pod/shop/web:80", "pool `system` has 2 pods here: each is asked"),
        (web, "pool/east/system:80", "pod/shop/db on tcp/80"),
        ("internet", "pod/shop/web:80", "203.0.113.1 to pod/shop/web"),
        (web, "internet:443", "on tcp/443"),
        (web, "kv.vault.azure.net:443", "`kv.vault.azure.net` is 10.0.1.9 (private endpoint `kv`)"),
        (web, "api.example.com:443", "pod/shop/web to 20.5.5.5"),
        (web, "[fd00::1]:443", "pod/shop/web to fd00::1"),
    ] {
        let run = run(from, to);
        assert!(run.code < 2 && run.stdout.contains(says), "{from} to {to}: {}{}", run.stdout, run.stderr);
    }
    for (from, to, says) in [
        ("west/pod/shop/web", "pod/shop/db:1", "is of cluster `west`"),
        ("eats/pod/shop/web", "pod/shop/db:1", "no cluster `eats`; did you mean `east`?"),
        ("pool/east/sytem", "pod/shop/db:1", "did you mean `system`?"),
        ("pool/east/other", "pod/shop/db:1", "no pod is known to run on a node of pool `other`"),
        ("pool/west/system", "pod/shop/db:1", "is of cluster `west`"),
        (web, "apiServer/east:443", "the address of `apiServer/east` is not known"),
        (web, "kv.vault.azure.com:443", "did you mean `kv.vault.azure.net`?"),
        (web, "www.example.org:443", "nobody here has the name"),
        (web, "hosts/jump:22", "did you mean `host/jump`?"),
        (web, "svc/shop/web:22", "did you mean `service/shop/web`?"),
        ("shop/web", "pod/shop/db:1", "did you mean `pod/shop/web`?"),
        ("web", "pod/shop/db:1", "did you mean `pod/shop/web`?"),
        ("", "pod/shop/db:1", "nobody is named"),
        ("pod//web", "pod/shop/db:1", "a name is missing in `pod//web`"),
        ("10.0.0.0/8", "pod/shop/db:1", "`10.0.0.0/8` is nobody"),
        (web, "pod/shop/web:https", "`https` is no port of pod `shop/web`; it names http"),
        (web, "host/jump:ssh", "only pods name their ports"),
    ] {
        let run = run(from, to);
        assert!(run.code == 2 && run.stderr.contains(says), "{from} to {to}: {}{}", run.stdout, run.stderr);
    }
    // The cluster in front of a word chooses it; without one there is no choice.
    let args = ["policy", "explain", "estate.yaml", "--from", "east/pod/shop/web", "--to", "pod/shop/db:1"];
    assert_eq!(run_in(folder.path(), &args, "").code, 0);
    for command in ["list", "exposure", "matrix"] {
        let run = run_in(folder.path(), &["policy", command, "estate.yaml"], "");
        assert!(run.code == 2 && run.stderr.contains("known are east, west"), "{}", run.stderr);
        let run = run_in(folder.path(), &["policy", command, "estate.yaml", "--cluster", "west"], "");
        assert_eq!(run.code, 0, "{}", run.stderr);
    }
}

#[test]
fn ports_and_protocols_are_taken_at_their_word() {
    for (args, says) in [
        (&["--port", "0"][..], "nothing listens on port 0"),
        (&["--port", "65536"], "`65536` is no port"),
        (&["--port", ""], "`` is no port"),
        (&["--port", "-1"], "'-1'"),
        (&["--port", "htpp"], "no pod calls a port `htpp`; did you mean `http`?"),
        (&["--port", "http", "--proto", "udp"], "no pod calls a port of these protocols `http`"),
        (&["--proto", "tcpp"], "known are tcp, udp, sctp and icmp"),
        (&["--proto", "icmp", "--port", "80"], "icmp has no ports"),
        (&["--cluster", ""], "there is no cluster ``"),
    ] {
        let run = policy(&[&["matrix", "shop.yaml"], args].concat());
        assert!(run.code == 2 && run.stderr.contains(says), "{args:?}: {}{}", run.stdout, run.stderr);
    }
    for (args, tables) in [
        (&["--port", "http"][..], &["TCP/8080"][..]),
        (&["--proto", "icmp"], &["ICMP"]),
        (&["--proto", "icmp", "--proto", "tcp", "--port", "80"], &["ICMP", "TCP/80"]),
        (&["--proto", "udp"], &["UDP/80"]),
        (&["--proto", "tcp", "--proto", "udp"], &["TCP/5432", "TCP/8080"]),
        (&["--port", "81", "--proto", "sctp", "--port", "81"], &["SCTP/81"]),
    ] {
        let run = policy(&[&["matrix", "shop.yaml", "--format", "json"], args].concat());
        assert_eq!(run.code, 0, "{args:?}: {}", run.stderr);
        let found: Vec<String> = run.json()["tables"].as_object().unwrap().keys().cloned().collect();
        assert_eq!(
            found.iter().map(String::as_str).collect::<std::collections::BTreeSet<_>>(),
            tables.iter().copied().collect(),
            "{args:?}"
        );
    }
    let ping = ["explain", "shop.yaml", "--from", "pod/shop/web", "--to", "pod/shop/db", "--proto", "icmp"];
    let run = policy(&ping);
    assert!(
        run.code == 1 && run.stdout.starts_with("denied: pod/shop/web to pod/shop/db on icmp as"),
        "{}",
        run.stdout
    );
    assert_eq!(policy(&[&ping[..], &["--port", "80"]].concat()).code, 2);
}
