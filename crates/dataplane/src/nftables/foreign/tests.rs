use super::*;
use crate::nftables::fixtures::*;
use crate::nftables::simulate::Kernel;

#[test]
fn the_agents_chain_and_all_its_jumps_go_and_nothing_else() {
    let mut kernel = Kernel::default();
    kernel.install(nat(), node());
    let ops = take_over(&nat(), &kernel.observed()[&nat()], "IP-MASQ-AGENT");
    kernel.commit(&ops).unwrap();
    let left = &kernel.objects()[&nat()];
    assert_eq!(left.chains["POSTROUTING"].rules, [jump("KUBE-POSTROUTING"), jump("OTHER")]);
    assert!(!left.chains.contains_key("IP-MASQ-AGENT"));
    assert_eq!(left.chains.len(), 4);
    assert!(
        take_over(&nat(), &kernel.observed()[&nat()], "IP-MASQ-AGENT").is_empty(),
        "the second time there is nothing"
    );
}

#[test]
fn a_chain_somebody_else_leads_to_is_emptied_and_stays() {
    let mut table = node();
    table.chains.get_mut("OTHER").unwrap().rules.push(jump("IP-MASQ-AGENT"));
    let mut kernel = Kernel::default();
    kernel.install(nat(), table);
    for _ in 0..2 {
        let ops = take_over(&nat(), &kernel.observed()[&nat()], "IP-MASQ-AGENT");
        kernel.commit(&ops).unwrap();
    }
    let left = &kernel.objects()[&nat()];
    assert!(left.chains["IP-MASQ-AGENT"].rules.is_empty());
    assert_eq!(left.chains["OTHER"].rules, [jump("IP-MASQ-AGENT")]);
    assert!(take_over(&nat(), &kernel.observed()[&nat()], "IP-MASQ-AGENT").is_empty());
}

#[test]
fn a_chain_of_the_kernels_is_never_taken_over() {
    let mut kernel = Kernel::default();
    kernel.install(nat(), node());
    assert!(take_over(&nat(), &kernel.observed()[&nat()], "POSTROUTING").is_empty());
    assert!(take_over(&nat(), &kernel.observed()[&nat()], "ABSENT").is_empty());
}

#[test]
fn a_chain_of_that_name_goes_only_if_it_says_that_it_is_an_agents() {
    let said = |text: &str| {
        let data = text.as_bytes().to_vec();
        let comment = Expression::Other { name: "match".into(), extension: "comment".into(), data };
        rule(vec![comment, extension("target", "MASQUERADE")])
    };
    let kube = said("kubernetes service traffic requiring SNAT");
    let agents = said("\0ip-masq-agent: outbound traffic is subject to MASQUERADE (must be last in chain)\0");
    for (rules, ops) in [(vec![kube.clone()], 0), (vec![], 0), (vec![kube, agents], 2)] {
        let mut kernel = Kernel::default();
        kernel.install(nat(), objects(vec![("POSTROUTING", base(100), vec![jump("MINE")]), ("MINE", None, rules)]));
        assert_eq!(take_over(&nat(), &kernel.observed()[&nat()], "MINE").len(), ops);
    }
    let mut told = jump("MINE");
    told.comment = "\"ip-masq-agent: ensure nat POSTROUTING directs all".into();
    let mut kernel = Kernel::default();
    kernel.install(nat(), objects(vec![("POSTROUTING", base(100), vec![told]), ("MINE", None, vec![])]));
    assert_eq!(take_over(&nat(), &kernel.observed()[&nat()], "MINE").len(), 2);
}
