//! Manifests that can't be read, are in the middle of being written, or contradict themselves: nothing opens by that.

use super::*;
use std::io::Write as _;
use std::os::unix::fs::symlink;

pub(super) fn trials() -> Vec<Trial> {
    vec![
        Trial::new("enforce::a_file_that_is_torn_keeps_what_it_said", torn),
        Trial::new("enforce::a_file_that_is_written_slowly_is_waited_for", slow),
        Trial::new("enforce::a_volume_that_is_swapped_is_read_as_of_one_moment", swapped),
        Trial::new("enforce::a_file_that_was_never_read_opens_nothing", never_read),
        Trial::new("enforce::a_folder_that_vanishes_or_is_emptied_changes_nothing", vanished),
        Trial::new("enforce::a_policy_that_cannot_be_translated_shuts_whom_it_selects", untranslatable),
        Trial::new("enforce::what_is_stated_twice_and_not_the_same_is_shut", twice),
        Trial::new("enforce::an_object_that_is_gone_is_gone", gone),
        Trial::new("enforce::a_node_and_its_own_pods_always_reach_each_other", own_node),
    ]
}

const CLIENT: &str = "198.51.100.7";
const OTHER: &str = "198.51.100.9";
const PAGES: &str = "--metrics-address=127.0.0.1:0";

/// Clients are let in, others are not.
fn as_meant(lab: &mut Lab) -> bool {
    into(lab, CLIENT, 80) && !into(lab, OTHER, 80) && into(lab, "2001:db8::7", 80) && !into(lab, "2001:db8::9", 80)
}

fn torn() {
    let mut lab = quick();
    let whole = list(&everything());
    let manifests = Manifests::new(&[("cluster.yaml", &whole), ("more.yaml", &list(&[namespace("more")]))]);
    let mut agent = Agent::start_policy(&lab, &manifests.path(), &[PAGES]);
    agent.until(PLACED);
    let half: String = whole.chars().take(whole.len() / 2).collect();
    for text in ["", half.as_str(), "kind: Status\napiVersion: v1\nmessage: Unauthorized\n", "\0", "a: [1"] {
        // In place, as careless programs write.
        fs::write(manifests.path().join("cluster.yaml"), text).unwrap();
        agent.line("what it said last stays in effect");
        assert!(as_meant(&mut lab), "{text}");
        let page = agent.get_until(&lab, "/readyz", "file-unreadable");
        assert!(page.starts_with("HTTP/1.1 200 ") && page.contains("\"status\": \"degraded\""), "{page}");
        let page = agent.get(&lab, "/metrics");
        assert_eq!(row(&page, "causeway_policy_file_valid{file=\"cluster.yaml\"}"), 0);
        assert_eq!(row(&page, "causeway_policy_file_objects{file=\"cluster.yaml\"}"), 6);
        // The other files go on.
        let name = format!("more{}", text.len());
        manifests.put("more.yaml", &list(&[namespace(&name), namespace("again")]));
        agent.get_until(&lab, "/metrics", "causeway_policy_file_objects{file=\"more.yaml\"} 2.0");
        fs::write(manifests.path().join("cluster.yaml"), &whole).unwrap();
        agent.get_until(&lab, "/metrics", "causeway_policy_file_valid{file=\"cluster.yaml\"} 1.0");
        manifests.put("more.yaml", &list(&[namespace("more")]));
        agent.get_until(&lab, "/metrics", "causeway_policy_file_objects{file=\"more.yaml\"} 1.0");
    }
    settled(&lab, &manifests);
}

/// Documents one after the other: what is there halfway is right as far as it goes.
fn slow() {
    let mut lab = quick();
    let objects = everything();
    let whole: Vec<String> = objects.iter().map(|object| format!("{object:#}\n")).collect();
    let manifests = Manifests::new(&[("cluster.yaml", &whole.join("---\n"))]);
    let mut agent = Agent::start_policy(&lab, &manifests.path(), &[PAGES]);
    agent.until(PLACED);
    let mut file = fs::File::create(manifests.path().join("cluster.yaml")).unwrap();
    // All but the policy, and then the writer rests.
    file.write_all(whole[..5].join("---\n").as_bytes()).unwrap();
    agent.line("somebody is writing it");
    assert!(as_meant(&mut lab), "the policy that is not there yet is not gone");
    let page = agent.get(&lab, "/metrics");
    assert_eq!(row(&page, "causeway_policy_policies "), 1);
    file.write_all(format!("---\n{:#}\n", deny("Egress")).as_bytes()).unwrap();
    drop(file);
    agent.until(PLACED);
    assert!(!out(&mut lab, CLIENT, 80) && into(&mut lab, OTHER, 80), "when it is closed it is read");
    settled(&lab, &manifests);
}

fn swapped() {
    let mut lab = quick();
    let manifests = Manifests::new(&[]);
    let path = manifests.path();
    let swap = |number: u32, objects: &[Value]| {
        let new = path.join(format!("..{number}"));
        fs::create_dir(&new).unwrap();
        // Two files that only make sense together.
        let (first, second) = objects.split_at(objects.len() / 2);
        fs::write(new.join("a.yaml"), list(first)).unwrap();
        fs::write(new.join("b.yaml"), list(second)).unwrap();
        symlink(format!("..{number}"), path.join("..data_tmp")).unwrap();
        fs::rename(path.join("..data_tmp"), path.join("..data")).unwrap();
        for name in ["a.yaml", "b.yaml"] {
            let _ = symlink(format!("..data/{name}"), path.join(name));
        }
        if number > 0 {
            fs::remove_dir_all(path.join(format!("..{}", number - 1))).unwrap();
        }
    };
    swap(0, &everything());
    let mut agent = Agent::start_policy(&lab, &path, &[PAGES]);
    agent.until(PLACED);
    assert!(as_meant(&mut lab));
    let mut others = everything();
    others[3]["metadata"]["labels"]["app"] = "other".into();
    others[4]["metadata"]["labels"]["app"] = "client".into();
    for number in 1..8 {
        let odd = number % 2 == 1;
        swap(number, &if odd { others.clone() } else { everything() });
        agent.until(PLACED);
        assert_eq!(into(&mut lab, OTHER, 80), odd);
        assert_eq!(into(&mut lab, CLIENT, 80), !odd);
    }
    // The same again is nothing new.
    let parses = row(&agent.get(&lab, "/metrics"), "causeway_policy_file_parses_total");
    let reads = row(&agent.get(&lab, "/metrics"), "causeway_policy_file_reads_total");
    swap(8, &others);
    agent.get_until(&lab, "/metrics", &format!("causeway_policy_file_reads_total {}", reads + 2));
    assert_eq!(row(&agent.get(&lab, "/metrics"), "causeway_policy_file_parses_total"), parses);
    assert!(as_meant(&mut lab) != into(&mut lab, OTHER, 80));
}

fn never_read() {
    let mut lab = quick();
    let manifests = Manifests::new(&[("cluster.yaml", &list(&everything())), ("torn.yaml", "kind: [")]);
    // There are no rules yet: the pods that are known are shut, whatever policies say, and so is everything in the ranges given.
    let mut agent = Agent::start_policy(&lab, &manifests.path(), &[PAGES]);
    agent.until_all(&["was never read", PLACED]);
    assert!(!into(&mut lab, CLIENT, 80) && !out(&mut lab, CLIENT, 80) && !out(&mut lab, "2001:db8::7", 80));
    let page = agent.get(&lab, "/readyz");
    assert!(page.starts_with("HTTP/1.1 503 ") && page.contains("never-read"), "{page}");
    manifests.put("torn.yaml", &list(&[namespace("whole")]));
    agent.until(PLACED);
    assert!(as_meant(&mut lab));
    agent.get_until(&lab, "/readyz", "HTTP/1.1 200 ");
    // One that comes later says nothing that was ever in effect.
    manifests.put("later.yaml", "kind: [");
    agent.line("never could be");
    assert!(as_meant(&mut lab));
    let page = agent.get_until(&lab, "/readyz", "never-read");
    assert!(page.starts_with("HTTP/1.1 503 "), "{page}");
    drop(agent);
    // Who starts with it finds rules, which may be made of it, and leaves them.
    let mut agent = Agent::start_policy(&lab, &manifests.path(), &[PAGES]);
    agent.line("stay as they are until it is read");
    let mut objects = everything();
    objects[4]["metadata"]["labels"]["app"] = "client".into();
    manifests.put("cluster.yaml", &list(&objects));
    agent.get_until(&lab, "/metrics", "causeway_policy_file_parses_total 3");
    assert!(as_meant(&mut lab), "nothing is opened while something is not known");
    manifests.remove("later.yaml");
    agent.until(PLACED);
    assert!(into(&mut lab, OTHER, 80));
    settled(&lab, &manifests);
}

fn vanished() {
    let mut lab = quick();
    let manifests = Manifests::new(&[("cluster.yaml", &list(&everything()))]);
    let mut agent = Agent::start_policy(&lab, &manifests.path(), &[PAGES]);
    agent.until(PLACED);
    let elsewhere = manifests.path().with_file_name("elsewhere");
    fs::rename(manifests.path(), &elsewhere).unwrap();
    agent.line("what was read before stays in effect");
    assert!(as_meant(&mut lab));
    assert!(agent.get(&lab, "/readyz").contains("folder-unreadable"));
    fs::create_dir(manifests.path()).unwrap();
    agent.line("no manifest is in it");
    assert!(as_meant(&mut lab), "an empty folder is one that is not mounted yet");
    fs::remove_dir(manifests.path()).unwrap();
    fs::rename(elsewhere, manifests.path()).unwrap();
    agent.line("can be read again");
    // A cluster of nothing can be said.
    manifests.put("cluster.yaml", &list(&[]));
    agent.until(PLACED);
    assert!(into(&mut lab, OTHER, 80));
    agent.get_until(&lab, "/healthz", "node-unknown");
}

fn untranslatable() {
    let mut lab = quick();
    let mut objects = everything();
    let open = json!({"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{}]});
    objects[5] = policy("open", &open);
    let manifests = Manifests::new(&[("cluster.yaml", &list(&objects))]);
    let mut agent = Agent::start_policy(&lab, &manifests.path(), &[PAGES]);
    agent.until(PLACED);
    assert!(into(&mut lab, OTHER, 80) && out(&mut lab, OTHER, 81));
    let wrong_block = json!({"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{"from": [{"ipBlock": {"cidr": "198.51.100.0/33"}}]}]});
    let wrong_subject =
        json!({"podSelector": {"matchExpressions": [{"key": "app", "operator": "Like", "values": ["w"]}]}});
    for (spec, out_too) in [(&wrong_block, false), (&wrong_subject, true)] {
        objects[5] = policy("wrong", spec);
        manifests.put("cluster.yaml", &list(&objects));
        agent.line("can't be read whole");
        agent.until(PLACED);
        assert!(!into(&mut lab, OTHER, 80) && !into(&mut lab, CLIENT, 80) && !into(&mut lab, "2001:db8::9", 80));
        assert_eq!(out(&mut lab, CLIENT, 80), !out_too, "in the directions it may speak of");
        let page = agent.get(&lab, "/metrics");
        assert_eq!(row(&page, "causeway_policy_translation_failures"), 1);
        let page = agent.get(&lab, "/readyz");
        assert!(page.contains("policy-untranslatable") && page.contains("NetworkPolicy/shop/wrong"), "{page}");
        assert!(agent.line("\"denied\"").contains("NetworkPolicy/shop/wrong"));
    }
    // Kinds of the group that nobody knows may select anybody.
    objects[5] =
        json!({"apiVersion": "policy.networking.k8s.io/v1", "kind": "TenantNetworkPolicy", "metadata": {"name": "t"}});
    manifests.put("cluster.yaml", &list(&objects));
    agent.until(PLACED);
    assert!(!into(&mut lab, CLIENT, 80) && !out(&mut lab, CLIENT, 80));
    assert!(agent.get(&lab, "/readyz").contains("policy-unread"));
    // A kind that is nearly one is no reason to open: the namespace it would be about is shut.
    for (version, kind) in [("networking.k8s.io/v1", "Networkpolicy"), ("v1", "NetworkPolicy")] {
        objects[5] = json!({"apiVersion": version, "kind": kind, "metadata": {"name": "nearly", "namespace": "shop"}, "spec": {"podSelector": {}}});
        manifests.put("cluster.yaml", &list(&objects));
        agent.line("did you mean `NetworkPolicy` of `networking.k8s.io`?");
        let words = format!("{kind}/nearly");
        let page = agent.get_until(&lab, "/readyz", &words);
        assert!(page.contains("policy-unread"), "{page}");
        settled_shut(&mut lab);
        assert_eq!(row(&agent.get(&lab, "/metrics"), "causeway_policy_translation_failures"), 1);
    }
    // Another engine's are its own affair.
    objects[5] = json!({"apiVersion": "cilium.io/v2", "kind": "CiliumNetworkPolicy", "metadata": {"name": "c", "namespace": "shop"},
        "spec": {"endpointSelector": {}}});
    manifests.put("cluster.yaml", &list(&objects));
    until("everybody is let through", || into(&mut lab, CLIENT, 80) && out(&mut lab, CLIENT, 80));
    objects[5] = policy("open", &open);
    manifests.put("cluster.yaml", &list(&objects));
    settled(&lab, &manifests);
    assert_eq!(row(&agent.get_until(&lab, "/metrics", "translation_failures 0.0"), "causeway_policy_policies "), 1);
}

fn settled_shut(lab: &mut Lab) {
    until("nothing gets in or out", || !into(lab, CLIENT, 80) && !out(lab, CLIENT, 80));
}

fn twice() {
    let mut lab = quick();
    let manifests = Manifests::new(&[("cluster.yaml", &list(&everything()))]);
    let mut agent = Agent::start_policy(&lab, &manifests.path(), &[PAGES]);
    agent.until(PLACED);
    let wider = policy("only-clients", &json!({"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{}]}));
    let stranger = pod_at("client-0", "other", "n1", &["198.51.100.7".parse().unwrap()]);
    let thief = pod_at("thief-0", "client", "n1", &["198.51.100.7".parse().unwrap()]);
    for (second, words, client_v6) in [
        // The same twice is once.
        (only_clients(), None, true),
        (wider, Some("`NetworkPolicy/shop/only-clients` stands in `cluster.yaml` and `second.yaml`"), false),
        (stranger, Some("`Pod/shop/client-0` stands in"), false),
        (thief, Some("have the address 198.51.100.7"), true),
        (namespace("shop"), None, true),
    ] {
        manifests.put("second.yaml", &list(&[second]));
        match words {
            Some(words) => {
                agent.line(words);
                agent.until(PLACED);
                assert!(!into(&mut lab, CLIENT, 80) && !into(&mut lab, OTHER, 80), "{words}");
                assert!(agent.get(&lab, "/readyz").contains("stated-twice"));
                assert_eq!(into(&mut lab, "2001:db8::7", 80), client_v6, "{words}");
            }
            None => {
                agent.get_until(&lab, "/metrics", "causeway_policy_file_objects{file=\"second.yaml\"} 1.0");
                assert!(as_meant(&mut lab));
            }
        }
        manifests.remove("second.yaml");
        until("it is as before", || as_meant(&mut lab));
        settled(&lab, &manifests);
    }
}

fn gone() {
    let mut lab = quick();
    let objects = everything();
    let manifests = Manifests::new(&[("pods.yaml", &list(&objects[..5])), ("policy.yaml", &list(&objects[5..]))]);
    let mut agent = Agent::start_policy(&lab, &manifests.path(), &[]);
    agent.until(PLACED);
    assert!(as_meant(&mut lab));
    manifests.remove("policy.yaml");
    agent.until(PLACED);
    assert!(into(&mut lab, OTHER, 80), "the policy went with its file");
    manifests.put("policy.yaml", &list(&objects[5..]));
    agent.until(PLACED);
    assert!(as_meant(&mut lab));
    manifests
        .put("pods.yaml", &list(&[objects[0].clone(), objects[1].clone(), objects[2].clone(), objects[4].clone()]));
    agent.until(PLACED);
    assert!(!into(&mut lab, CLIENT, 80), "the client went out of its file");
    settled(&lab, &manifests);
}

/// Probes of the kubelet, and what a pod asks of its own node, under policies that let nothing through.
fn own_node() {
    use causeway_testkit::lab::topology::NODE;
    use std::net::{SocketAddr, TcpListener, TcpStream};
    let mut lab = quick();
    let mut objects = everything();
    objects[5] = policy("nothing", &json!({"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}));
    let manifests = Manifests::new(&[("cluster.yaml", &list(&objects))]);
    let mut agent = Agent::start_policy(&lab, &manifests.path(), &[]);
    agent.until(PLACED);
    assert!(!into(&mut lab, CLIENT, 80) && !out(&mut lab, CLIENT, 80) && !out(&mut lab, "2001:db8::7", 80));
    for family in Family::ALL {
        for (from, to, address) in [(Place::Node, Place::Pod, POD), (Place::Pod, Place::Node, NODE)] {
            let listen = SocketAddr::new(address.of(family), 7070);
            let listener = lab.namespace(to).enter(|| TcpListener::bind(listen)).unwrap().unwrap();
            let stream = lab.namespace(from).enter(|| TcpStream::connect_timeout(&listen, PATIENCE)).unwrap();
            assert!(stream.is_ok(), "{from:?} to {listen}: {stream:?}");
            listener.accept().unwrap();
        }
    }
}
