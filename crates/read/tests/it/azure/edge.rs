//! Where packets leave and names are asked: public addresses, firewalls, private zones.

use super::{errors, id, network, translated};
use causeway_read::tree::Node;

#[test]
fn public_addresses_are_a_list_a_number_or_not_known() {
    let nat = |body: &str, more: &[&str]| {
        let own = format!(r#"{{"id": "{}", "idleTimeoutInMinutes": 4, {body}}}"#, id("g", "natGateways/nat"));
        let texts: Vec<&str> = std::iter::once(own.as_str()).chain(more.iter().copied()).collect();
        let (_, fields) = translated(&texts)
            .yaml
            .split_once("  nat:\n")
            .map(|(one, other)| (one.to_owned(), other.to_owned()))
            .unwrap();
        fields.lines().map(str::trim).filter(|line| !line.starts_with("idle")).collect::<Vec<_>>().join(" ")
    };
    let address = id("g", "publicIPAddresses/a");
    let prefix = id("g", "publicIPPrefixes/p");
    let known = format!(r#"{{"id": "{address}", "ipAddress": "198.51.100.7", "publicIPAllocationMethod": "Static"}}"#);
    let sized = format!(r#"{{"id": "{prefix}", "prefixLength": 28, "publicIPAddressVersion": "IPv4"}}"#);
    let by_address = format!(r#""publicIpAddresses": [{{"id": "{address}"}}]"#);
    let both = format!(r#"{by_address}, "publicIpPrefixes": [{{"id": "{prefix}"}}]"#);
    assert_eq!(nat(&by_address, &[&known]), "publicIps: 198.51.100.7");
    assert_eq!(nat(&by_address, &[]), "publicIpCount: 1");
    assert_eq!(nat(&both, &[&known, &sized]), "publicIps: 198.51.100.7 publicIpCount: 17");
    assert_eq!(nat(&both, &[&known]), "");
    assert_eq!(nat(r#""publicIpAddresses": null"#, &[]), "publicIpCount: 0");
}

fn firewall(body: &str, more: &[&str]) -> super::Translated {
    let own = format!(r#"{{"id": "{}", "networkRuleCollections": [], {body}}}"#, id("g", "azureFirewalls/fw"));
    let texts: Vec<&str> = std::iter::once(own.as_str()).chain(more.iter().copied()).collect();
    assert_eq!(errors(&texts), [""; 0]);
    translated(&texts)
}

#[test]
fn when_a_firewall_translates() {
    let snat = |ranges: &str| {
        let body = format!(r#""additionalProperties": {{"Network.SNAT.PrivateRanges": "{ranges}"}}"#);
        let tree = firewall(&body, &[]).tree;
        let own = tree.get("firewalls").unwrap().get("fw").unwrap();
        let word = own.get("snat").into_iter();
        let all = word.chain(own.get("privateRanges").map(Node::items).unwrap_or_default());
        all.filter_map(Node::text).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(snat("255.255.255.255/32"), "always");
    assert_eq!(snat("0.0.0.0/0"), "never");
    assert_eq!(
        snat("IANAPrivateRanges, 192.0.2.0/24, 198.51.100.4"),
        "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 100.64.0.0/10 192.0.2.0/24 198.51.100.4/32"
    );
    assert_eq!(snat(""), "");
    let policy = format!(
        r#"{{"id": "{}", "ruleCollectionGroups": [], "snat": {{"privateRanges": ["0.0.0.0/0"], "autoLearnPrivateRanges": "Enabled"}}}}"#,
        id("g", "firewallPolicies/p")
    );
    let learning = firewall(&format!(r#""firewallPolicy": {{"id": "{}"}}"#, id("g", "firewallPolicies/p")), &[&policy]);
    assert!(learning.yaml.contains("    snat: never\n    policy: true\n"), "{}", learning.yaml);
    assert!(
        learning
            .notes
            .contains(&"1: the firewall `fw` learns private ranges by itself: which they are is not known".to_owned()),
        "{:?}",
        learning.notes
    );
}

#[test]
fn classic_rules_and_a_hubs_addresses() {
    let body = r#""hubIPAddresses": {"privateIPAddress": "10.9.0.4", "publicIPs": {"count": 3, "addresses": [{"address": "198.51.100.1"}]}},
        "networkRuleCollections": [
            {"name": "two", "properties": {"priority": 300, "action": {"type": "Deny"}, "rules": [{"name": "b", "protocols": ["Any"], "sourceAddresses": ["*"], "destinationAddresses": ["*"], "destinationPorts": ["*"]}]}},
            {"name": "one", "properties": {"priority": 200, "action": {"type": "Allow"}, "rules": [{"name": "a", "protocols": ["ICMP"], "sourceAddresses": ["10.0.0.0/8"], "destinationAddresses": ["Storage"], "destinationPorts": ["*"]}]}}],
        "natRuleCollections": [{"name": "n", "properties": {"priority": 100, "action": {"type": "Dnat"}, "rules": [
            {"name": "c", "protocols": ["TCP", "UDP"], "sourceAddresses": ["*"], "destinationAddresses": ["198.51.100.1"], "destinationPorts": ["53"], "translatedAddress": "10.0.0.53", "translatedPort": "53"},
            {"name": "d", "protocols": ["TCP"], "sourceAddresses": ["*"], "destinationAddresses": ["198.51.100.1"], "destinationPorts": ["80-90"], "translatedFqdn": "inside.example", "translatedPort": "80"}]}}]"#;
    let own = format!(r#"{{"id": "{}", {body}}}"#, id("g", "azureFirewalls/fw"));
    let translated = translated(&[&own]);
    let expected = r#"firewalls:
  fw:
    kind: azureFirewall
    privateIp: 10.9.0.4
    publicIps: 198.51.100.1
    publicIpCount: 3
    rules:
      - name: a
        source: 10.0.0.0/8
        destination: Storage
        protocol: icmp
        ports: "*"
        access: allow
      - name: b
        source: "*"
        destination: "*"
        protocol: "*"
        ports: "*"
        access: deny
    dnat:
      - name: c
        publicIp: 198.51.100.1
        protocol: tcp
        port: 53
        to: 10.0.0.53
        toPort: 53
      - name: c
        publicIp: 198.51.100.1
        protocol: udp
        port: 53
        to: 10.0.0.53
        toPort: 53
"#;
    assert_eq!(translated.yaml, expected);
    assert_eq!(
        translated.notes,
        [
            "7: where the firewall rule `d` leads is not known by address",
            "7: the ports of the firewall rule `d`: the design translates one port at a time",
        ]
    );
    assert_eq!(errors(&[&own]), [""; 0]);
}

#[test]
fn rules_that_were_not_given_are_said() {
    let policy = id("g", "firewallPolicies/p");
    let group = id("g", "firewallPolicies/p/ruleCollectionGroups/r");
    let by_policy = format!(r#""firewallPolicy": {{"id": "{policy}"}}"#);
    let none = firewall(&by_policy, &[]);
    assert!(
        none.notes.contains(&"1: the firewall policy `p` was not given: its rules are not known".to_owned()),
        "{:?}",
        none.notes
    );
    let only_policy = format!(r#"{{"id": "{policy}", "ruleCollectionGroups": [{{"id": "{group}"}}]}}"#);
    let half = firewall(&by_policy, &[&only_policy]);
    let missing = "1: the rule collection group `r` was not given: its rules are not known (give `az network firewall policy rule-collection-group list`)";
    assert!(half.notes.contains(&missing.to_owned()), "{:?}", half.notes);
    let rules = format!(
        r#"{{"id": "{group}", "priority": 100, "ruleCollections": [{{"ruleCollectionType": "FirewallPolicyFilterRuleCollection", "priority": 1, "action": {{"type": "Allow"}}, "rules": [
            {{"ruleType": "NetworkRule", "name": "x", "ipProtocols": ["TCP"], "sourceIpGroups": ["{}"], "destinationFqdns": ["db.example"], "destinationPorts": ["5432"]}}]}}]}}"#,
        id("g", "ipGroups/apps")
    );
    let whole = firewall(&by_policy, &[&rules]);
    assert!(
        whole.yaml.contains("        source: ipGroup.apps\n        destination: fqdn.db.example\n"),
        "{}",
        whole.yaml
    );
    let unused = translated(&[&only_policy, &rules]);
    assert!(
        unused.notes.contains(&"1: no firewall that was given uses the policy `p`: its rules are left out".to_owned()),
        "{:?}",
        unused.notes
    );
}

#[test]
fn zones_with_links_and_records() {
    let zone =
        |group: &str| format!(r#"{{"id": "{}", "numberOfRecordSets": 1}}"#, id(group, "privateDnsZones/z.example"));
    let link = |name: &str, policy: &str| {
        format!(
            r#"{{"id": "{}", "registrationEnabled": false, "resolutionPolicy": "{policy}", "virtualNetwork": {{"id": "{}"}}}}"#,
            id("g", &format!("privateDnsZones/z.example/virtualNetworkLinks/{name}")),
            id("g", &format!("virtualNetworks/{name}"))
        )
    };
    let records = format!(
        r#"[{{"id": "{}", "ttl": 1, "aRecords": [{{"ipv4Address": "10.0.0.1"}}, {{"ipv4Address": "10.0.0.2"}}]}}, {{"id": "{}", "ttl": 1, "aaaaRecords": [{{"ipv6Address": "fd00::1"}}]}}, {{"id": "{}", "ttl": 1, "cnameRecord": {{"cname": "x"}}}}]"#,
        id("g", "privateDnsZones/z.example/A/DB"),
        id("g", "privateDnsZones/z.example/AAAA/db"),
        id("g", "privateDnsZones/z.example/CNAME/alias")
    );
    let (hub, spoke) = (network("hub", r#""addressSpace": {}"#), network("spoke", r#""addressSpace": {}"#));
    let both = translated(&[
        &zone("g"),
        &link("hub", "NxDomainRedirect"),
        &link("spoke", "NxDomainRedirect"),
        &records,
        &hub,
        &spoke,
    ]);
    let expected = "privateDnsZones:\n  z.example:\n    links: [hub, spoke]\n    records:\n      db: [10.0.0.1, 10.0.0.2, fd00::1]\n    recordsKnown: false\n    fallbackToInternet: true\n";
    assert!(both.yaml.ends_with(expected), "{}", both.yaml);
    assert_eq!(
        both.notes,
        ["1: the alias `alias` in the private zone `z.example`: zones of the design hold addresses"]
    );
    let mixed = translated(&[&zone("g"), &link("hub", "NxDomainRedirect"), &link("spoke", "Default"), &hub, &spoke]);
    assert!(mixed.yaml.ends_with("    fallbackToInternet: false\n"), "{}", mixed.yaml);
    let twice = translated(&[&zone("h"), &zone("g")]);
    assert_eq!(
        twice.notes,
        ["1: a second zone `z.example`: the design holds one of each name, and has the one in `g`"]
    );
}

#[test]
fn a_zone_says_how_many_links_it_has() {
    let zone = |count: usize| {
        format!(r#"{{"id": "{}", "numberOfVirtualNetworkLinks": {count}}}"#, id("g", "privateDnsZones/z.example"))
    };
    let link = format!(
        r#"{{"id": "{}", "virtualNetwork": {{"id": "{}"}}}}"#,
        id("g", "privateDnsZones/z.example/virtualNetworkLinks/one"),
        id("g", "virtualNetworks/hub")
    );
    let read = |texts: &[&str]| {
        let translated = translated(texts);
        (translated.yaml.contains("linksKnown: false"), translated.notes.iter().any(|note| note.contains("links and")))
    };
    assert_eq!(read(&[&zone(0)]), (false, false));
    assert_eq!(read(&[&zone(1), &link]), (false, false));
    assert_eq!(read(&[&zone(1)]), (true, true));
    assert_eq!(read(&[&zone(2), &link]), (true, true));
}

#[test]
fn an_endpoint_keeps_the_names_it_is_found_by() {
    let endpoint = |configs: &str| {
        let text = format!(
            r#"{{"id": "{}", "subnet": {{"id": "{}"}}, "customDnsConfigs": [{configs}]}}"#,
            id("g", "privateEndpoints/registry"),
            id("g", "virtualNetworks/hub/subnets/ends")
        );
        translated(&[&text]).yaml
    };
    let two = r#"{"fqdn": "cr.westeurope.data.azurecr.io", "ipAddresses": ["10.0.0.4"]}, {"fqdn": "cr.azurecr.io", "ipAddresses": ["10.0.0.5"]}"#;
    let tree = endpoint(two);
    assert!(tree.contains("names: [cr.westeurope.data.azurecr.io, cr.azurecr.io]"), "{tree}");
    assert!(!endpoint("").contains("names:"));
}

#[test]
fn an_endpoint_tells_a_connection_nobody_approved() {
    let endpoint = |list: &str, status: &str| {
        let text = format!(
            r#"{{"id": "{}", "subnet": {{"id": "{}"}}, "{list}": [{{"privateLinkServiceConnectionState": {{"status": "{status}"}}}}]}}"#,
            id("g", "privateEndpoints/vault"),
            id("g", "virtualNetworks/hub/subnets/ends")
        );
        translated(&[&text]).yaml
    };
    assert!(endpoint("privateLinkServiceConnections", "Rejected").contains("connection: rejected"));
    assert!(endpoint("manualPrivateLinkServiceConnections", "Pending").contains("connection: pending"));
    assert!(!endpoint("privateLinkServiceConnections", "Approved").contains("connection"));
}

#[test]
fn a_zone_knows_whether_all_its_records_were_given() {
    let zone =
        |sets: u32| format!(r#"{{"id": "{}", "numberOfRecordSets": {sets}}}"#, id("g", "privateDnsZones/z.example"));
    let authority = format!(
        r#"{{"id": "{}", "soaRecord": {{"email": "a"}}, "ttl": 1}}"#,
        id("g", "privateDnsZones/z.example/SOA/@")
    );
    let record = format!(
        r#"{{"id": "{}", "aRecords": [{{"ipv4Address": "10.0.0.1"}}], "ttl": 1}}"#,
        id("g", "privateDnsZones/z.example/A/db")
    );
    let known = |texts: &[&str]| {
        let yaml = translated(texts).yaml;
        yaml.lines().find(|line| line.contains("recordsKnown")).map(|line| line.trim().to_owned())
    };
    assert_eq!(known(&[&zone(1)]), Some("recordsKnown: true".to_owned()));
    assert_eq!(known(&[&zone(1), &authority]), Some("recordsKnown: true".to_owned()));
    assert_eq!(known(&[&zone(2)]), None);
    assert_eq!(known(&[&zone(2), &record]), None);
    assert_eq!(known(&[&zone(3), &authority, &record]), None);
    assert_eq!(known(&[&zone(3), &record]), Some("recordsKnown: false".to_owned()));
}
