use super::*;

const MODES: [Mode; 6] =
    [Mode::Overlay, Mode::PodSubnet, Mode::PodSubnetStatic, Mode::NodeSubnet, Mode::Kubenet, Mode::Byo];

#[test]
fn every_mode_has_its_own_row() {
    assert_eq!(MODES.len(), Mode::WORDS.len());
    for mode in MODES {
        assert_eq!(ModeFacts::of(mode).mode, mode);
    }
}

/// Pod, VNet, peered VNet, on-premises, internet.
#[test]
fn seen_addresses_by_mode() {
    use Seen::{Node, Pod, PublicFromNode, PublicFromPod};
    for (mode, seen) in [
        (Mode::Overlay, [Pod, Node, Node, Node, PublicFromNode]),
        (Mode::Kubenet, [Pod, Node, Node, Node, PublicFromNode]),
        (Mode::NodeSubnet, [Pod, Pod, Node, Node, PublicFromNode]),
        (Mode::PodSubnet, [Pod, Pod, Pod, Pod, PublicFromPod]),
        (Mode::PodSubnetStatic, [Pod, Pod, Pod, Pod, PublicFromPod]),
    ] {
        let facts = ModeFacts::of(mode);
        for (peer, seen) in
            [Peer::Pod, Peer::Vnet, Peer::PeeredVnet, Peer::OnPremises, Peer::Internet].into_iter().zip(seen)
        {
            assert_eq!(facts.seen.by(peer).value, Some(seen), "{mode} {peer:?}");
        }
    }
    assert_eq!(ModeFacts::of(Mode::Byo).seen.by(Peer::Vnet).value, None, "a plugin decides, so nobody knows");
    assert_eq!(ModeFacts::of(Mode::PodSubnet).seen.by(Peer::Platform).value, Some(Node));
    assert_eq!(ModeFacts::of(Mode::Kubenet).seen.by(Peer::Platform).value, None);
}

#[test]
fn pods_are_called_from_networks_in_flat_modes_only() {
    for (mode, from_networks) in [
        (Mode::Overlay, false),
        (Mode::Kubenet, false),
        (Mode::NodeSubnet, true),
        (Mode::PodSubnet, true),
        (Mode::PodSubnetStatic, true),
    ] {
        let reachable = ModeFacts::of(mode).reachable.value.unwrap();
        assert_eq!(
            (reachable.vnet, reachable.peered_vnet, reachable.on_premises),
            (from_networks, from_networks, from_networks),
            "{mode}"
        );
        assert!(reachable.same_cluster && !reachable.internet, "{mode}");
        assert_eq!(from_networks, mode.is_flat(), "{mode}");
    }
    assert_eq!(ModeFacts::of(Mode::Byo).reachable.value, None);
}

#[test]
fn engines_by_mode_and_data_plane() {
    let engines = |mode: Mode, dataplane| {
        [PolicyEngine::None, PolicyEngine::Azure, PolicyEngine::Calico, PolicyEngine::Cilium]
            .map(|engine| ModeFacts::of(mode).supports_engine(dataplane, engine))
    };
    for mode in [Mode::Overlay, Mode::PodSubnet, Mode::PodSubnetStatic, Mode::NodeSubnet] {
        assert_eq!(engines(mode, Dataplane::Azure), [Support::Yes, Support::Yes, Support::Yes, Support::No], "{mode}");
        assert_eq!(
            engines(mode, Dataplane::Cilium),
            [Support::Unknown, Support::No, Support::No, Support::Yes],
            "{mode}"
        );
    }
    assert_eq!(engines(Mode::Kubenet, Dataplane::Azure), [Support::Yes, Support::No, Support::Yes, Support::No]);
    assert_eq!(engines(Mode::Kubenet, Dataplane::Cilium), [Support::No; 4]);
    assert_eq!(engines(Mode::Byo, Dataplane::Azure), [Support::Unknown; 4]);
    assert_eq!(
        ModeFacts::of(Mode::Overlay).supports_engine(Dataplane::Azure, PolicyEngine::Causeway),
        Support::Unknown
    );
}

#[test]
fn data_planes_by_mode() {
    assert_eq!(ModeFacts::of(Mode::Kubenet).supports_dataplane(Dataplane::Cilium), Support::No);
    assert_eq!(ModeFacts::of(Mode::NodeSubnet).supports_dataplane(Dataplane::Cilium), Support::Yes);
    assert_eq!(ModeFacts::of(Mode::Byo).supports_dataplane(Dataplane::Cilium), Support::Unknown);
}

/// Default, to plan with.
#[test]
fn max_pods_by_mode() {
    for (mode, default, planned) in [
        (Mode::Overlay, Some(250), Some(250)),
        (Mode::PodSubnet, None, Some(250)),
        (Mode::PodSubnetStatic, None, Some(250)),
        (Mode::NodeSubnet, Some(30), Some(30)),
        (Mode::Kubenet, Some(110), Some(110)),
        (Mode::Byo, None, None),
    ] {
        let max_pods = ModeFacts::of(mode).max_pods;
        assert_eq!((max_pods.default.value, max_pods.planned), (default, planned), "{mode}");
        assert_eq!(max_pods.max.value, Some(250), "{mode}");
    }
}

#[test]
fn blocks_agents_and_ways_out() {
    for (mode, block, agent, becomes) in [
        (Mode::Overlay, Some(24), true, &[] as &[Mode]),
        (Mode::PodSubnet, None, false, &[]),
        (Mode::PodSubnetStatic, None, false, &[]),
        (Mode::NodeSubnet, None, true, &[Mode::Overlay]),
        (Mode::Kubenet, Some(24), true, &[Mode::Overlay]),
        (Mode::Byo, None, false, &[]),
    ] {
        let facts = ModeFacts::of(mode);
        assert_eq!(facts.node_block(), block, "{mode}");
        assert_eq!(facts.masquerade.value.has_agent(), agent, "{mode}");
        assert_eq!(facts.becomes.value, becomes, "{mode}");
    }
}
