//! What part an object has in a network, by its kind.

use causeway_model::suggest::{is_slip, nearest};

/// What an object is to this program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Node,
    Namespace,
    Pod,
    /// Anything with a pod template.
    Workload,
    Service,
    Endpoints,
    EndpointSlice,
    ConfigMap,
    /// Whatever allows or denies traffic of pods.
    Policy,
    Ingress,
    IngressClass,
    /// Gateway API.
    Gateway,
    GatewayClass,
    /// Istio's own `Gateway`.
    IstioGateway,
    /// The load balancer of Application Gateway for Containers.
    ApplicationLoadBalancer,
    /// The controller of the application routing add-on.
    NginxController,
    NodeNetworkConfig,
    ClusterSubnetState,
    ServiceCidr,
    CiliumNode,
    /// What sends requests from a gateway to services.
    Route,
    /// Known, and without a part in the network.
    NoPart,
    /// Not known.
    Unknown,
}

/// Kinds with a pod template.
const WORKLOADS: &[(&str, &str)] = &[
    ("apps", "Deployment"),
    ("apps", "StatefulSet"),
    ("apps", "DaemonSet"),
    ("apps", "ReplicaSet"),
    ("extensions", "Deployment"),
    ("extensions", "DaemonSet"),
    ("extensions", "ReplicaSet"),
    ("batch", "Job"),
    ("batch", "CronJob"),
    ("", "ReplicationController"),
    ("", "PodTemplate"),
    ("argoproj.io", "Rollout"),
];

/// Kinds that allow or deny traffic of pods: Kubernetes, the network policy group's API, Cilium, Calico.
const POLICIES: &[(&str, &str)] = &[
    ("networking.k8s.io", "NetworkPolicy"),
    ("extensions", "NetworkPolicy"),
    ("policy.networking.k8s.io", "AdminNetworkPolicy"),
    ("policy.networking.k8s.io", "BaselineAdminNetworkPolicy"),
    ("policy.networking.k8s.io", "ClusterNetworkPolicy"),
    ("cilium.io", "CiliumNetworkPolicy"),
    ("cilium.io", "CiliumClusterwideNetworkPolicy"),
    ("projectcalico.org", "NetworkPolicy"),
    ("projectcalico.org", "GlobalNetworkPolicy"),
    ("crd.projectcalico.org", "NetworkPolicy"),
    ("crd.projectcalico.org", "GlobalNetworkPolicy"),
];

const OTHERS: &[(&str, &str, Kind)] = &[
    ("", "Node", Kind::Node),
    ("", "Namespace", Kind::Namespace),
    ("", "Pod", Kind::Pod),
    ("", "Service", Kind::Service),
    ("", "Endpoints", Kind::Endpoints),
    ("discovery.k8s.io", "EndpointSlice", Kind::EndpointSlice),
    ("", "ConfigMap", Kind::ConfigMap),
    ("networking.k8s.io", "Ingress", Kind::Ingress),
    ("extensions", "Ingress", Kind::Ingress),
    ("networking.k8s.io", "IngressClass", Kind::IngressClass),
    ("gateway.networking.k8s.io", "Gateway", Kind::Gateway),
    ("gateway.networking.k8s.io", "GatewayClass", Kind::GatewayClass),
    ("networking.istio.io", "Gateway", Kind::IstioGateway),
    ("alb.networking.azure.io", "ApplicationLoadBalancer", Kind::ApplicationLoadBalancer),
    ("approuting.kubernetes.azure.com", "NginxIngressController", Kind::NginxController),
    ("acn.azure.com", "NodeNetworkConfig", Kind::NodeNetworkConfig),
    ("acn.azure.com", "ClusterSubnetState", Kind::ClusterSubnetState),
    ("networking.k8s.io", "ServiceCIDR", Kind::ServiceCidr),
    ("cilium.io", "CiliumNode", Kind::CiliumNode),
    ("route.openshift.io", "Route", Kind::Route),
    ("gateway.networking.k8s.io", "HTTPRoute", Kind::Route),
    ("gateway.networking.k8s.io", "GRPCRoute", Kind::Route),
    ("gateway.networking.k8s.io", "TLSRoute", Kind::Route),
    ("gateway.networking.k8s.io", "TCPRoute", Kind::Route),
    ("gateway.networking.k8s.io", "UDPRoute", Kind::Route),
];

/// Groups none of whose kinds moves, translates or filters a packet of a pod.
const GROUPS_WITHOUT_PART: &[&str] = &[
    "acme.cert-manager.io",
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "apiregistration.k8s.io",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "autoscaling",
    "autoscaling.k8s.io",
    "azmonitoring.coreos.com",
    "cert-manager.io",
    "certificates.k8s.io",
    "coordination.k8s.io",
    "events.k8s.io",
    "flowcontrol.apiserver.k8s.io",
    "groupsnapshot.storage.k8s.io",
    "internal.apiserver.k8s.io",
    "keda.sh",
    "metrics.k8s.io",
    "monitoring.coreos.com",
    "node.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "resource.k8s.io",
    "scheduling.k8s.io",
    "secrets-store.csi.x-k8s.io",
    "snapshot.storage.k8s.io",
    "storage.k8s.io",
    "storagemigration.k8s.io",
    "wgpolicyk8s.io",
];

/// Single kinds without a part.
const WITHOUT_PART: &[(&str, &str)] = &[
    ("", "Binding"),
    ("", "ComponentStatus"),
    ("", "Event"),
    ("", "LimitRange"),
    ("", "PersistentVolume"),
    ("", "PersistentVolumeClaim"),
    ("", "ResourceQuota"),
    ("", "Secret"),
    ("", "ServiceAccount"),
    ("apps", "ControllerRevision"),
    ("networking.k8s.io", "IPAddress"),
    ("cilium.io", "CiliumEndpoint"),
    ("cilium.io", "CiliumEndpointSlice"),
    ("cilium.io", "CiliumIdentity"),
    ("gateway.networking.k8s.io", "ReferenceGrant"),
    ("gateway.networking.k8s.io", "BackendTLSPolicy"),
    ("alb.networking.azure.io", "HealthCheckPolicy"),
    ("alb.networking.azure.io", "RoutePolicy"),
];

/// Kinds of policies that belong to no namespace.
const CLUSTER_WIDE: &[&str] = &[
    "AdminNetworkPolicy",
    "BaselineAdminNetworkPolicy",
    "ClusterNetworkPolicy",
    "CiliumClusterwideNetworkPolicy",
    "GlobalNetworkPolicy",
];

impl Kind {
    /// The kind behind a word, in any version of its group.
    pub(super) fn of(api_version: &str, word: &str) -> Kind {
        let group = super::object::group(api_version);
        let has = |table: &[(&str, &str)]| table.contains(&(group, word));
        if let Some((.., kind)) = OTHERS.iter().find(|(known, name, _)| (*known, *name) == (group, word)) {
            return *kind;
        }
        if has(WORKLOADS) {
            Kind::Workload
        } else if has(POLICIES) {
            Kind::Policy
        } else if has(WITHOUT_PART) || GROUPS_WITHOUT_PART.contains(&group) {
            Kind::NoPart
        } else {
            Kind::Unknown
        }
    }

    /// Whether its objects live in a namespace.
    pub(super) fn is_namespaced(self, word: &str) -> bool {
        match self {
            Kind::Node
            | Kind::Namespace
            | Kind::IngressClass
            | Kind::GatewayClass
            | Kind::ServiceCidr
            | Kind::CiliumNode => false,
            Kind::Policy => !CLUSTER_WIDE.contains(&word),
            _ => true,
        }
    }

    /// The part of a cluster's design its objects go to.
    pub(super) fn section(self) -> &'static str {
        match self {
            Kind::Node | Kind::CiliumNode => "nodes",
            Kind::NodeNetworkConfig | Kind::ClusterSubnetState => "pools",
            Kind::Namespace => "namespaces",
            Kind::Pod | Kind::Workload => "pods",
            Kind::Service | Kind::Endpoints | Kind::EndpointSlice | Kind::Route => "services",
            Kind::Policy => "policies",
            Kind::ConfigMap => "masquerade",
            Kind::ServiceCidr => "serviceCidr",
            Kind::Ingress
            | Kind::IngressClass
            | Kind::Gateway
            | Kind::GatewayClass
            | Kind::IstioGateway
            | Kind::ApplicationLoadBalancer
            | Kind::NginxController => "ingress",
            Kind::NoPart | Kind::Unknown => "manifests",
        }
    }
}

/// What somebody meant who wrote a kind that is not there, in words: [`near`].
pub(super) fn meant(api_version: &str, word: &str) -> Option<String> {
    near(api_version, word).map(|(group, word)| match group {
        "" => format!("did you mean `{word}` of `v1`?"),
        group => format!("did you mean `{word}` of `{group}`?"),
    })
}

/// Group and kind somebody meant who wrote a kind that is not there: a known one in other letters, or in a group that has none of that
/// name. Kinds of groups nobody here knows are their own.
pub(super) fn near(api_version: &str, word: &str) -> Option<(&'static str, &'static str)> {
    let group = super::object::group(api_version);
    let others = OTHERS.iter().map(|(group, word, _)| (*group, *word));
    let known: Vec<(&'static str, &'static str)> =
        POLICIES.iter().chain(WORKLOADS).copied().chain(others).filter(|(group, _)| *group != "extensions").collect();
    let same_group = || known.iter().filter(|(known, _)| *known == group);
    if let Some(near) = nearest(word, same_group().map(|(_, word)| *word))
        && is_slip(word, near)
        // What is there under its own name was not meant to be another.
        && !WITHOUT_PART.contains(&(group, word))
    {
        return same_group().find(|(_, known)| *known == near).copied();
    }
    // The groups of Kubernetes itself, and those that are nearly one of them.
    let groups = known.iter().filter(|(_, known)| known.eq_ignore_ascii_case(word));
    let is_kubernetes = !group.contains('.') || group.ends_with(".k8s.io");
    let mut near = groups.filter(|(known, _)| {
        is_kubernetes || (known.contains('.') && nearest(group, [*known]).is_some() && is_slip(group, known))
    });
    near.next().filter(|known| **known != (group, word)).copied()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_kind_in_other_letters_is_not_passed_over() {
        for (api_version, word, meant) in [
            ("networking.k8s.io/v1", "Networkpolicy", Some("NetworkPolicy")),
            ("networking.k8s.io/v1", "NetworkPolicies", Some("NetworkPolicy")),
            ("networking.k8s.io/v1", "NetworkPolcy", Some("NetworkPolicy")),
            ("v1", "NetworkPolicy", Some("networking.k8s.io")),
            ("apps/v1", "NetworkPolicy", Some("networking.k8s.io")),
            ("policy/v1", "NetworkPolicy", Some("networking.k8s.io")),
            ("networking.k8.io/v1", "NetworkPolicy", Some("networking.k8s.io")),
            ("policy.networking.k8s.io/v1alpha2", "ClusterNetworkpolicy", Some("ClusterNetworkPolicy")),
            ("cilium.io/v2", "CiliumNetworkpolicy", Some("CiliumNetworkPolicy")),
            ("v1", "pod", Some("Pod")),
            ("apps/v1", "deployment", Some("Deployment")),
            ("policy/v1", "PodDisruptionBudget", None),
            ("crd.antrea.io/v1beta1", "NetworkPolicy", None),
            ("security.antrea.tanzu.vmware.com/v1alpha1", "ClusterNetworkPolicy", None),
            ("cilium.io/v2", "CiliumLoadBalancerIPPool", None),
            ("cilium.io/v2alpha1", "CiliumNodeConfig", None),
            ("cilium.io/v2", "CiliumEgressGatewayPolicy", None),
            ("networking.k8s.io/v1", "IPAddress", None),
            ("example.org/v1", "Widget", None),
            ("serving.knative.dev/v1", "Service", None),
            ("networking.istio.io/v1", "Sidecar", None),
            ("projectcalico.org/v3", "NetworkSet", None),
            ("projectcalico.org/v3", "GlobalNetworkSet", None),
        ] {
            let found = super::meant(api_version, word);
            match meant {
                Some(meant) => {
                    assert!(
                        found.as_deref().is_some_and(|hint| hint.contains(meant)),
                        "{api_version} {word}: {found:?}"
                    );
                }
                None => assert_eq!(found, None, "{api_version} {word}"),
            }
        }
    }

    use super::Kind;

    #[test]
    fn a_kind_is_told_by_its_group_in_any_version() {
        for (api_version, word, kind) in [
            ("v1", "Pod", Kind::Pod),
            ("apps/v1", "Deployment", Kind::Workload),
            ("extensions/v1beta1", "Deployment", Kind::Workload),
            ("gateway.networking.k8s.io/v1beta1", "Gateway", Kind::Gateway),
            ("networking.istio.io/v1", "Gateway", Kind::IstioGateway),
            ("networking.k8s.io/v1", "NetworkPolicy", Kind::Policy),
            ("crd.projectcalico.org/v1", "GlobalNetworkPolicy", Kind::Policy),
            ("rbac.authorization.k8s.io/v1", "Role", Kind::NoPart),
            ("v1", "Secret", Kind::NoPart),
            ("example.org/v1", "Secret", Kind::Unknown),
            ("route.openshift.io/v1", "Route", Kind::Route),
            ("", "Pod", Kind::Pod),
        ] {
            assert_eq!(Kind::of(api_version, word), kind, "{api_version} {word}");
        }
    }
}
