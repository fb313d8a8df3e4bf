use super::*;
use causeway_read::files::MemoryFiles;
use causeway_read::{Input, load};
use causeway_testkit::Random;

fn design(text: &str) -> Design {
    let input = Input { name: "design.yaml".to_owned(), bytes: text.as_bytes().to_vec(), kind: None, found: false };
    match load(vec![input], &MemoryFiles::default()).outcome {
        Ok(read) => read.design,
        Err(errors) => panic!("{errors:#?}\n{text}"),
    }
}

/// A vault with a private endpoint in the spoke of a cluster, whose zone is linked to the spoke, and a resolver in the hub. The public
/// names of the vault and of a shop are told, that of the storage account is not.
const BASE: &str = r#"
causeway: 1
name: names
networks:
  spoke:
    location: westeurope
    prefixes: [10.0.0.0/16]
    dnsServers: azure
    subnets:
      nodes: {prefix: 10.0.0.0/24}
      endpoints: {prefix: 10.0.9.0/27}
  hub:
    prefixes: [10.10.0.0/16]
    dnsServers: azure
    subnets:
      dns: {prefix: 10.10.6.0/27}
  corp:
    kind: onPremises
    prefixes: [10.200.0.0/16]
peerings: [{between: [spoke, hub]}]
hosts:
  resolver: {ip: 10.10.6.4, network: hub, listens: [udp/53, tcp/53], dns: {forwards: {".": azure}}}
  second: {ip: 10.10.6.5, network: hub, listens: [udp/53], dns: {forwards: {".": azure}}}
  inner: {ip: 10.0.9.20, network: spoke, listens: [udp/53], dns: {forwards: {".": azure}}}
  office: {ip: 10.200.0.53, network: corp, listens: [udp/53], dns: {forwards: {".": 10.10.6.4}}}
  laptop: {ip: 10.200.7.7, network: corp}
  dumb: {ip: 10.10.6.9, network: hub, listens: [udp/53]}
  outside: {ip: 198.51.100.53, network: internet, listens: [udp/53]}
privateEndpoints:
  vault: {ip: 10.0.9.4, subnet: spoke/endpoints, names: [kv-prod.vault.azure.net], listens: [tcp/443]}
  data: {ip: 10.0.9.5, subnet: spoke/endpoints, names: [data.blob.core.windows.net], listens: [tcp/443]}
privateDnsZones:
  privatelink.vaultcore.azure.net: {links: [spoke], records: {kv-prod: 10.0.9.4}}
  privatelink.blob.core.windows.net: {links: [spoke], records: {data: 10.0.9.5}}
  corp.internal:
    links: [hub, spoke]
    records: {"@": 10.10.0.80, db: [10.10.0.81, "fd00:10::81"], "*.web": 10.10.0.82, "a.deep": 10.10.0.83, "*": 10.10.0.84}
publicDns:
  kv-prod.vault.azure.net: {cname: kv-prod.privatelink.vaultcore.azure.net, address: 203.0.113.50, publicAccess: disabled}
  Shop.Example: {address: [203.0.113.60, "2001:db8::60"], publicAccess: enabled}
  round.example: {cname: about.example}
  about.example: {cname: round.example}
clusters:
  prod:
    location: westeurope
    mode: overlay
    podCidr: 10.244.0.0/16
    serviceCidr: 172.16.0.0/16
    dnsServiceIp: 172.16.0.10
    pools:
      system: {nodes: {count: 2}, subnet: spoke/nodes}
    nodes:
      n1: {ip: 10.0.0.4, pool: system, podCidr: 10.244.0.0/24}
    pods:
      - {name: app, namespace: pay, node: n1, ip: 10.244.0.5, labels: {app: app}}
      - {name: db-0, namespace: pay, node: n1, ip: 10.244.0.6, labels: {app: db}}
      - {name: agent, namespace: pay, node: n1, ip: 10.0.0.4, hostNetwork: true}
    services:
      - {name: web, namespace: pay, type: ClusterIP, clusterIp: 172.16.0.20, ports: [tcp/80->8080], selector: {app: app}}
      - {name: db, namespace: pay, type: ClusterIP, ports: [tcp/5432], selector: {app: db}}
      - {name: away, namespace: pay, type: ExternalName}
"#;

fn changed(changes: &[(&str, &str)]) -> Design {
    let mut text = BASE.to_owned();
    for (from, to) in changes {
        assert!(text.contains(from), "nothing to replace: {from}");
        text = text.replacen(from, to, 1);
    }
    design(&text)
}

fn asker<'a>(world: &World<'a>, word: &str) -> Asker<'a> {
    match word {
        "spoke" | "hub" | "corp" => Asker::Network(world.design.networks.get_key_value(word).unwrap().0),
        word => Asker::of(world, &crate::who::party(world, word).unwrap()).unwrap(),
    }
}

/// Every answer in a line of its own: verdict, addresses, authority, remedy's object, whether something is missing.
fn told(design: &Design, who: &str, name: &str) -> Vec<String> {
    let world = World::new(design);
    let answers = resolve(&world, asker(&world, who), name);
    assert!(!answers.is_empty());
    answers.iter().for_each(whole);
    answers.iter().map(line).collect()
}

fn line(answer: &Answer) -> String {
    let mut out = answer.verdict.to_string();
    for address in &answer.addresses {
        out = format!("{out} {address}");
    }
    if !answer.missing.is_empty() {
        out += " missing";
    }
    if let Some(remedy) = &answer.remedy {
        out = format!("{out} -> {}", remedy.object);
    }
    out
}

/// What holds of every answer.
fn whole(answer: &Answer) {
    assert!(!answer.steps.is_empty() || !answer.missing.is_empty(), "{answer:#?}");
    let is_known = matches!(answer.verdict, NameVerdict::ResolvesPrivate | NameVerdict::ResolvesPublic);
    assert!(is_known || answer.addresses.is_empty(), "{answer:#?}");
    assert!(!answer.addresses.is_empty() || !is_known || !answer.missing.is_empty(), "{answer:#?}");
    assert!(answer.verdict != NameVerdict::Uncertain || !answer.missing.is_empty(), "{answer:#?}");
    for missing in &answer.missing {
        assert!(!missing.how.is_empty());
    }
}

#[track_caller]
fn check(changes: &[(&str, &str)], who: &str, name: &str, expected: &[&str]) {
    assert_eq!(told(&changed(changes), who, name), expected, "{who} asks for {name} {changes:?}");
}

const POD: &str = "pod/pay/app";
const VAULT: &str = "kv-prod.vault.azure.net";
const LINKED: &str = "privatelink.vaultcore.azure.net: {links: [spoke]";
const UNLINKED: &str = "privatelink.vaultcore.azure.net: {links: [hub]";
const SPOKE_DNS: &str = "prefixes: [10.0.0.0/16]\n    dnsServers: azure";
const VAULT_ZONE: &str = "privateDnsZones.privatelink.vaultcore.azure.net.links";

fn servers(list: &str) -> String {
    format!("prefixes: [10.0.0.0/16]\n    dnsServers: {list}")
}

#[test]
fn a_zone_answers_where_it_is_linked_to_whom_is_asked() {
    let public = format!("resolvesPublic 203.0.113.50 -> {VAULT_ZONE}");
    // The platform's resolver.
    check(&[], POD, VAULT, &["resolvesPrivate 10.0.9.4"]);
    check(&[(LINKED, UNLINKED)], POD, VAULT, &[&public]);
    check(&[(LINKED, UNLINKED)], "hub", VAULT, &["resolvesPrivate 10.0.9.4"]);
    // A server in the hub sees what is linked to the hub.
    let hub = servers("[10.10.6.4]");
    check(&[(SPOKE_DNS, &hub)], POD, VAULT, &[&public]);
    check(&[(SPOKE_DNS, &hub), (LINKED, UNLINKED)], POD, VAULT, &["resolvesPrivate 10.0.9.4"]);
    // And one on the internet sees none.
    for server in ["[8.8.8.8]", "[198.51.100.53]"] {
        check(
            &[(SPOKE_DNS, &servers(server))],
            POD,
            VAULT,
            &["resolvesPublic 203.0.113.50 -> networks.spoke.dnsServers"],
        );
    }
    check(&[], "internet", VAULT, &["resolvesPublic 203.0.113.50"]);
    // A site asks through its own server.
    check(&[], "host/laptop", VAULT, &["uncertain missing"]);
    let site = [("prefixes: [10.200.0.0/16]", "prefixes: [10.200.0.0/16]\n    dnsServers: [10.200.0.53]")];
    check(&site, "host/laptop", VAULT, &[&public]);
    check(&[site[0], (LINKED, UNLINKED)], "host/laptop", VAULT, &["resolvesPrivate 10.0.9.4"]);
}

#[test]
fn what_decided_and_what_the_service_refuses_is_told() {
    let design = changed(&[]);
    let world = World::new(&design);
    let [answer] = &resolve(&world, asker(&world, POD), VAULT)[..] else { panic!() };
    assert_eq!(answer.authority, "privateDnsZones.privatelink.vaultcore.azure.net.records.kv-prod");
    assert_eq!(answer.public_access_disabled, Some(true));
    assert_eq!(answer.aliases, ["kv-prod.privatelink.vaultcore.azure.net"]);
    let prod = design.clusters.get_key_value("prod").unwrap().0;
    let udp = |from, server: &str| Query { from, server: server.parse().unwrap(), protocol: Protocol::Udp };
    let way = [udp(Querier::Asker, "172.16.0.10"), udp(Querier::CoreDns(prod.clone()), "168.63.129.16")];
    assert_eq!(answer.queries, [way]);

    let design = changed(&[
        ("dnsServiceIp: 172.16.0.10", "dnsServiceIp: 172.16.0.10\n    localDns: true"),
        (SPOKE_DNS, &servers("[10.10.6.4]")),
    ]);
    let world = World::new(&design);
    let [answer] = &resolve(&world, asker(&world, POD), "shop.EXAMPLE.")[..] else { panic!() };
    let (prod, resolver) =
        (design.clusters.get_key_value("prod").unwrap().0, design.hosts.get_key_value("resolver").unwrap().0);
    let way = [
        udp(Querier::Asker, "169.254.10.11"),
        udp(Querier::LocalDns(prod.clone()), "172.16.0.10"),
        udp(Querier::CoreDns(prod.clone()), "10.10.6.4"),
        udp(Querier::Host(resolver.clone()), "168.63.129.16"),
    ];
    assert_eq!((&answer.queries[..], answer.name.as_str()), (&[way.to_vec()][..], "shop.example"));
    assert_eq!((answer.authority.as_str(), answer.public_access_disabled), ("publicDns.Shop.Example", Some(false)));
    assert_eq!(answer.of_family(Family::V6).map(|ip| ip.to_string()).collect::<Vec<_>>(), ["2001:db8::60"]);
    // A node leaves the cluster's DNS out.
    let [answer] = &resolve(&world, asker(&world, "node/n1"), "shop.example")[..] else { panic!() };
    assert_eq!(
        answer.queries,
        [[udp(Querier::Asker, "10.10.6.4"), udp(Querier::Host(resolver.clone()), "168.63.129.16")]]
    );
}

#[test]
fn a_linked_zone_answers_alone() {
    let emptied = ("records: {kv-prod: 10.0.9.4}", "records: {other: 10.0.9.9}");
    let fallback = ("records: {kv-prod: 10.0.9.4}", "records: {other: 10.0.9.9}, fallbackToInternet: true");
    let unknown = ("records: {kv-prod: 10.0.9.4}", "recordsKnown: false");
    check(&[emptied], POD, VAULT, &["nxdomain -> privateDnsZones.privatelink.vaultcore.azure.net"]);
    check(&[fallback], POD, VAULT, &["resolvesPublic 203.0.113.50"]);
    check(&[unknown], POD, VAULT, &["uncertain missing"]);
    // The longest zone, not the one that has the name.
    let parent = [(
        "  corp.internal:",
        "  vaultcore.azure.net: {links: [spoke], records: {kv-prod.privatelink: 10.0.9.77}}\n  corp.internal:",
    )];
    check(&parent, POD, VAULT, &["resolvesPrivate 10.0.9.4"]);
    check(&[parent[0], (LINKED, UNLINKED)], POD, VAULT, &["resolvesPrivate 10.0.9.77"]);
    // Links that were counted and not given.
    check(
        &[(LINKED, "privatelink.vaultcore.azure.net: {links: [hub], linksKnown: false")],
        POD,
        VAULT,
        &["uncertain missing"],
    );
    // A zone of the public name itself.
    let own =
        ("  corp.internal:", "  vault.azure.net: {links: [spoke], records: {kv-else: 10.0.9.9}}\n  corp.internal:");
    check(&[own], POD, VAULT, &["nxdomain -> privateDnsZones.vault.azure.net"]);
    check(&[own], "hub", "kv-else.vault.azure.net", &["uncertain missing"]);
}

#[test]
fn records_of_a_zone() {
    for (name, expected) in [
        ("corp.internal", "resolvesPrivate 10.10.0.80"),
        ("DB.corp.internal.", "resolvesPrivate 10.10.0.81 fd00:10::81"),
        ("x.web.corp.internal", "resolvesPrivate 10.10.0.82"),
        ("x.y.web.corp.internal", "resolvesPrivate 10.10.0.82"),
        // It exists, since something is below it: no address, and no wildcard.
        ("web.corp.internal", "nxdomain -> privateDnsZones.corp.internal"),
        ("deep.corp.internal", "nxdomain -> privateDnsZones.corp.internal"),
        ("b.deep.corp.internal", "nxdomain -> privateDnsZones.corp.internal"),
        ("a.deep.corp.internal", "resolvesPrivate 10.10.0.83"),
        ("any.thing.corp.internal", "resolvesPrivate 10.10.0.84"),
        ("other.internal", "nxdomain"),
    ] {
        check(&[], "hub", name, &[expected]);
        check(&[], POD, name, &[expected]);
    }
}

#[test]
fn public_names_are_told_or_missing() {
    check(&[], POD, "shop.example", &["resolvesPublic 203.0.113.60 2001:db8::60"]);
    check(&[], POD, "nobody.example", &["uncertain missing"]);
    check(&[], POD, "kv-else.vault.azure.net", &["uncertain missing"]);
    check(&[], POD, "round.example", &["noAnswer"]);
    let wild = ("  Shop.Example:", "  \"*.apps.example\": {address: 203.0.113.61}\n  Shop.Example:");
    check(&[wild], POD, "a.b.Apps.example", &["resolvesPublic 203.0.113.61"]);
    // Where an alias leads is not told: to a service's privatelink name goes public, elsewhere nothing is known.
    let bare = (", address: 203.0.113.50, publicAccess: disabled", "");
    check(&[bare, (LINKED, UNLINKED)], POD, VAULT, &[&format!("resolvesPublic missing -> {VAULT_ZONE}")]);
    let else_where = ("{cname: about.example}", "{cname: www.elsewhere.example}");
    check(&[else_where], POD, "round.example", &["uncertain missing"]);
    // A public name with an address inside, as a private API server's public name has.
    let inner = ("  Shop.Example: {address: [203.0.113.60, \"2001:db8::60\"]", "  Shop.Example: {address: 10.0.9.4");
    check(&[inner], "internet", "shop.example", &["resolvesPrivate 10.0.9.4"]);
}

#[test]
fn an_endpoint_makes_its_public_name_an_alias() {
    const DATA: &str = "data.blob.core.windows.net";
    let unlinked =
        ("privatelink.blob.core.windows.net: {links: [spoke]", "privatelink.blob.core.windows.net: {links: [hub]");
    let unnamed = ("names: [data.blob.core.windows.net], ", "");
    let public = "resolvesPublic missing -> privateDnsZones.privatelink.blob.core.windows.net.links";
    check(&[], POD, DATA, &["resolvesPrivate 10.0.9.5"]);
    check(&[unlinked], POD, DATA, &[public]);
    // Without its name the record that leads to the endpoint says as much.
    check(&[unnamed], POD, DATA, &["resolvesPrivate 10.0.9.5"]);
    check(&[unnamed, unlinked], POD, DATA, &[public]);
    // A record that leads to nobody does not, and an endpoint that was refused makes no alias.
    let moved = ("{data: 10.0.9.5}", "{data: 10.0.9.99}");
    check(&[unnamed, moved], POD, DATA, &["uncertain missing"]);
    let refused =
        ("names: [data.blob.core.windows.net], ", "names: [data.blob.core.windows.net], connection: rejected, ");
    check(&[refused], POD, DATA, &["uncertain missing"]);
    // No zone at all.
    let none = ("  privatelink.blob.core.windows.net: {links: [spoke], records: {data: 10.0.9.5}}\n", "");
    check(&[none], POD, DATA, &["resolvesPublic missing -> privateEndpoints.data"]);
    // The privatelink name itself.
    check(&[], POD, "data.privatelink.blob.core.windows.net", &["resolvesPrivate 10.0.9.5"]);
    check(&[unlinked], POD, "data.privatelink.blob.core.windows.net", &[public]);
}

#[test]
fn servers_of_a_network() {
    let missing = "uncertain missing";
    let public = format!("resolvesPublic 203.0.113.50 -> {VAULT_ZONE}");
    for (list, expected) in [
        ("[10.10.6.4, 10.0.9.20]", vec![public.as_str(), "resolvesPrivate 10.0.9.4"]),
        ("[10.0.9.20, 10.10.6.4]", vec!["resolvesPrivate 10.0.9.4", &public]),
        ("[10.10.6.4, 10.10.6.5]", vec![&public]),
        ("[10.0.9.20, 168.63.129.16]", vec!["resolvesPrivate 10.0.9.4"]),
        ("[10.9.9.9]", vec![missing]),
        ("[10.10.6.9]", vec![missing]),
        ("[10.0.9.20, 10.9.9.9]", vec!["resolvesPrivate 10.0.9.4", missing]),
    ] {
        check(&[(SPOKE_DNS, &servers(list))], POD, VAULT, &expected);
    }
    let design = changed(&[(SPOKE_DNS, &servers("[10.10.6.4, 10.10.6.5]"))]);
    let world = World::new(&design);
    let [answer] = &resolve(&world, asker(&world, POD), VAULT)[..] else { panic!() };
    let first = |way: &Vec<Query>| way.get(1).map(|query| query.server.to_string());
    assert_eq!(
        answer.queries.iter().map(first).collect::<Vec<_>>(),
        [Some("10.10.6.4".to_owned()), Some("10.10.6.5".to_owned())]
    );
}

#[test]
fn forwarders() {
    let spoke = servers("[10.10.6.4]");
    let forwards = |text: &'static str| {
        ("resolver: {ip: 10.10.6.4, network: hub, listens: [udp/53, tcp/53], dns: {forwards: {\".\": azure}}}", text)
    };
    let with = |forwards: (&'static str, &'static str), expected: &[&str]| {
        check(&[(SPOKE_DNS, &spoke), forwards], POD, VAULT, expected);
    };
    let public = format!("resolvesPublic 203.0.113.50 -> {VAULT_ZONE}");
    // The longest suffix, in any case, with or without a dot.
    with(
        forwards(
            "resolver: {ip: 10.10.6.4, network: hub, dns: {forwards: {\".\": 10.9.9.9, \"Azure.net\": 10.9.9.8, \"vault.AZURE.net.\": 10.0.9.20}}}",
        ),
        &["resolvesPrivate 10.0.9.4"],
    );
    // Nobody told where the rest goes.
    with(
        forwards("resolver: {ip: 10.10.6.4, network: hub, dns: {forwards: {\"corp.internal\": azure}}}"),
        &["uncertain missing"],
    );
    // In a circle, alone and through others; a second server behind it answers.
    with(forwards("resolver: {ip: 10.10.6.4, network: hub, dns: {forwards: {\".\": 10.10.6.4}}}"), &["noAnswer"]);
    with(forwards("resolver: {ip: 10.10.6.4, network: hub, dns: {forwards: {\".\": 10.200.0.53}}}"), &["noAnswer"]);
    with(
        forwards("resolver: {ip: 10.10.6.4, network: hub, dns: {forwards: {\".\": [10.200.0.53, 10.0.9.20]}}}"),
        &["resolvesPrivate 10.0.9.4"],
    );
    // Its upstreams disagree.
    with(
        forwards("resolver: {ip: 10.10.6.4, network: hub, dns: {forwards: {\".\": [azure, 10.0.9.20]}}}"),
        &[&public, "resolvesPrivate 10.0.9.4"],
    );
    // The platform's resolver does not serve a site.
    with(forwards("resolver: {ip: 10.10.6.4, network: corp, dns: {forwards: {\".\": azure}}}"), &["noAnswer"]);
    // A rule for the alias alone: some servers use it, some don't.
    with(
        forwards(
            "resolver: {ip: 10.10.6.4, network: hub, dns: {forwards: {\".\": 8.8.8.8, \"privatelink.vaultcore.azure.net\": 10.0.9.20}}}",
        ),
        &["resolvesPublic 203.0.113.50 -> hosts.resolver.dns.forwards", "resolvesPrivate 10.0.9.4"],
    );
}

#[test]
fn names_of_the_cluster() {
    for (name, expected) in [
        ("web", "resolvesPrivate 172.16.0.20"),
        ("web.pay", "resolvesPrivate 172.16.0.20"),
        ("Web.Pay.Svc", "resolvesPrivate 172.16.0.20"),
        ("web.pay.svc.cluster.local", "resolvesPrivate 172.16.0.20"),
        ("web.pay.svc.cluster.local.", "resolvesPrivate 172.16.0.20"),
        ("_http._tcp.web.pay.svc.cluster.local", "resolvesPrivate 172.16.0.20"),
        ("web.", "nxdomain"),
        ("web.pay.svc.", "uncertain missing"),
        ("web.other.svc.cluster.local", "nxdomain"),
        ("db.pay", "resolvesPrivate 10.244.0.6"),
        ("db-0.db.pay", "resolvesPrivate 10.244.0.6"),
        ("10-244-0-6.db.pay.svc.cluster.local", "resolvesPrivate 10.244.0.6"),
        ("db-1.db.pay.svc.cluster.local", "nxdomain"),
        ("10-244-9-9.pay.pod.cluster.local", "resolvesPrivate 10.244.9.9"),
        ("nonsense.pay.pod.cluster.local", "nxdomain"),
        ("away.pay", "uncertain missing"),
        ("kubernetes.default.svc", "resolvesPrivate 172.16.0.1"),
        ("kube-dns.kube-system.svc.cluster.local", "resolvesPrivate 172.16.0.10"),
        ("cluster.local", "nxdomain"),
        ("svc.cluster.local", "nxdomain"),
    ] {
        check(&[], POD, name, &[expected]);
    }
    // Others don't ask it, and a pod on the host network may.
    check(&[], "spoke", "web.pay.svc.cluster.local", &["nxdomain"]);
    check(&[], "node/n1", "web.pay.svc.cluster.local", &["nxdomain"]);
    check(&[], "pod/pay/agent", "web.pay.svc.cluster.local", &["uncertain missing"]);
    check(&[], "pod/pay/agent", VAULT, &["resolvesPrivate 10.0.9.4"]);
    check(&[], "pool/prod/system", "web.pay", &["resolvesPrivate 172.16.0.20"]);
    // A service comes before a public name, and nobody can tell which services there are.
    let text = BASE.split("    services:\n").next().unwrap();
    assert_eq!(told(&design(text), POD, "web.pay.svc.cluster.local"), ["uncertain missing"]);
    assert_eq!(told(&design(text), POD, "shop.example"), ["resolvesPublic 203.0.113.60 2001:db8::60"]);
    assert_eq!(told(&design(text), POD, "kubernetes.default"), ["resolvesPrivate 172.16.0.1"]);
}

#[test]
fn api_servers() {
    const OWN: &str = "prod-1a2b.0f0f.privatelink.westeurope.azmk8s.io";
    let api = |text: &str| format!("dnsServiceIp: 172.16.0.10\n    apiServer: {text}");
    let existing =
        api("{access: private, privateIp: 10.0.0.200, privateFqdn: prod-1a2b.0f0f.privatelink.westeurope.azmk8s.io}");
    let existing = ("dnsServiceIp: 172.16.0.10", existing.as_str());
    // The zone the platform made is linked to the nodes' network, and nowhere else.
    check(&[existing], "node/n1", OWN, &["resolvesPrivate 10.0.0.200"]);
    check(&[existing], POD, "PROD-1a2b.0f0f.privatelink.westeurope.azmk8s.io.", &["resolvesPrivate 10.0.0.200"]);
    check(&[existing], "hub", OWN, &["nxdomain -> clusters.prod.apiServer.privateDnsZone"]);
    check(&[existing], "internet", OWN, &["nxdomain"]);
    check(
        &[existing, (SPOKE_DNS, &servers("[10.10.6.4]"))],
        "node/n1",
        OWN,
        &["nxdomain -> clusters.prod.apiServer.privateDnsZone"],
    );
    check(&[existing], POD, "else.0f0f.privatelink.westeurope.azmk8s.io", &["nxdomain"]);
    // Listed, the zone speaks for itself.
    let listed =
        |links: &str| format!("  0f0f.privatelink.westeurope.azmk8s.io: {{links: [{links}]}}\n  corp.internal:");
    check(&[existing, ("  corp.internal:", &listed("spoke, hub"))], "hub", OWN, &["uncertain missing"]);
    check(&[existing, ("  corp.internal:", &listed("spoke"))], "node/n1", OWN, &["resolvesPrivate 10.0.0.200"]);
    check(
        &[existing, ("  corp.internal:", &listed("hub"))],
        "node/n1",
        OWN,
        &["nxdomain -> privateDnsZones.0f0f.privatelink.westeurope.azmk8s.io.links"],
    );
    // Not made yet: nobody knows its name.
    let planned = api("{access: private}");
    check(
        &[("dnsServiceIp: 172.16.0.10", &planned)],
        POD,
        "a.b.privatelink.westeurope.azmk8s.io",
        &["uncertain missing"],
    );
    check(&[("dnsServiceIp: 172.16.0.10", &planned)], "hub", "a.b.privatelink.westeurope.azmk8s.io", &["nxdomain"]);
    // A public one's name is public DNS's.
    check(&[], POD, "prod-1a2b.hcp.westeurope.azmk8s.io", &["uncertain missing"]);
}

/// Objects by other names, and questions in other letters.
#[test]
fn names_of_objects_and_letters_change_nothing() {
    const QUESTIONS: [&str; 10] = [
        VAULT,
        "data.blob.core.windows.net",
        "shop.example",
        "db.corp.internal",
        "x.web.corp.internal",
        "web.pay",
        "db-0.db.pay",
        "nobody.example",
        "round.example",
        "kv-prod.privatelink.vaultcore.azure.net",
    ];
    let seed = Random::seed();
    println!("CAUSEWAY_SEED={seed}");
    let mut random = Random::new(seed);
    let plain = |lines: Vec<String>| -> Vec<String> {
        lines.into_iter().map(|line| line.split(" ->").next().unwrap_or_default().to_owned()).collect()
    };
    for _ in 0..40 {
        let list = random
            .one_of(&["azure", "[10.10.6.4]", "[10.0.9.20, 10.10.6.4]", "[10.10.6.4, 10.9.9.9]", "[8.8.8.8]"])
            .unwrap();
        let links = random.one_of(&["spoke", "hub", "spoke, hub", ""]).unwrap();
        let mut text = BASE.replacen(SPOKE_DNS, &servers(list), 1);
        text = text.replacen(LINKED, &format!("privatelink.vaultcore.azure.net: {{links: [{links}]"), 1);
        // Names that sort the other way round.
        let renamed = text
            .replace("spoke", "zz-one")
            .replace("hub", "aa-two")
            .replace("resolver", "m-three")
            .replace("  prod:\n", "  z-four:\n")
            .replace("    n1:", "    b-five:")
            .replace("node: n1", "node: b-five");
        let (one, other) = (design(&text), design(&renamed));
        for question in QUESTIONS {
            let shouted: String = question
                .chars()
                .map(|letter| if random.once_in(2) { letter.to_ascii_uppercase() } else { letter })
                .collect();
            let expected = told(&one, POD, question);
            assert_eq!(told(&one, POD, &shouted), expected, "{shouted}");
            assert_eq!(plain(told(&other, POD, question)), plain(expected), "{question}\n{renamed}");
        }
    }
}

/// Servers that forward to each other at will, aliases in any order: there is an answer, soon.
#[test]
fn every_question_ends() {
    let seed = Random::seed();
    println!("CAUSEWAY_SEED={seed}");
    let mut random = Random::new(seed);
    let mut verdicts = std::collections::BTreeSet::new();
    for _ in 0..150 {
        let mut text = "causeway: 1\nname: storm\nnetworks:\n  one: {prefixes: [10.0.0.0/16], dnsServers: [10.0.0.1, 10.0.0.2, 10.0.0.3], subnets: {s: {prefix: 10.0.0.0/24}}}\n  two: {prefixes: [10.1.0.0/16]}\nhosts:\n".to_owned();
        for last in 1..=8 {
            let network = random.one_of(&["one", "two"]).unwrap();
            text += &format!("  h{last}: {{ip: 10.0.0.{last}, network: {network}, dns: {{forwards: {{");
            let mut suffixes = Vec::new();
            for suffix in [".", "a", "n1.a", "b"] {
                if random.once_in(2) {
                    let targets: Vec<String> = (0..=random.below(3))
                        .map(|_| {
                            if random.once_in(4) {
                                "azure".to_owned()
                            } else {
                                format!("10.0.0.{}", 1 + random.below(9))
                            }
                        })
                        .collect();
                    suffixes.push(format!("\"{suffix}\": [{}]", targets.join(", ")));
                }
            }
            text += &format!("{}}}}}}}\n", suffixes.join(", "));
        }
        text += "publicDns:\n";
        for number in 0..6 {
            let top = random.one_of(&["a", "b"]).unwrap();
            text += &match random.below(3) {
                0 => format!("  n{number}.{top}: {{address: 203.0.113.{number}}}\n"),
                1 => format!(
                    "  n{number}.{top}: {{cname: n{}.{}}}\n",
                    random.below(7),
                    random.one_of(&["a", "b"]).unwrap()
                ),
                _ => format!("  n{number}.{top}: {{cname: n{}.b, address: 203.0.113.9}}\n", random.below(7)),
            };
        }
        text += "privateDnsZones:\n  a: {links: [one], records: {n1: 10.0.0.77}, fallbackToInternet: true}\n";
        let design = design(&text);
        let world = World::new(&design);
        let (one, _) = design.networks.get_key_value("one").unwrap();
        for name in ["n1.a", "n2.a", "n3.b", "n9.b", "", ".", "a..b"] {
            let answers = resolve(&world, Asker::Network(one), name);
            assert!(!answers.is_empty() && answers.len() < 40, "{} answers\n{text}", answers.len());
            assert_eq!(answers, resolve(&world, Asker::Network(one), &name.to_uppercase()), "{text}");
            verdicts.extend(answers.iter().map(|answer| answer.verdict));
        }
    }
    // Silence of every server at once is rare here, and has its own test.
    assert!(verdicts.len() >= 4, "{verdicts:?}");
}
