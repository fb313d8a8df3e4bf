//! Where documents disagree, with the rule this product follows, and what nobody has established. Notes of facts name these rows.

/// A disagreement and what follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Disagreement {
    /// Its name.
    pub id: &'static str,
    /// What about.
    pub topic: &'static str,
    /// The rule followed here.
    pub rule: &'static str,
}

/// Something nobody has established.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unknown {
    /// Its name.
    pub id: &'static str,
    /// The question.
    pub question: &'static str,
    /// What is done meanwhile.
    pub meanwhile: &'static str,
    /// How to find out on a platform that runs.
    pub find_out: &'static str,
}

const fn rule(id: &'static str, topic: &'static str, rule: &'static str) -> Disagreement {
    Disagreement { id, topic, rule }
}

const fn open(id: &'static str, question: &'static str, meanwhile: &'static str, find_out: &'static str) -> Unknown {
    Unknown { id, question, meanwhile, find_out }
}

/// Every disagreement.
pub const DISAGREEMENTS: &[Disagreement] = &[
    rule(
        "brief-service-cidr-reserved",
        "172.30.0.0/16 as a service range of a widely shown plan",
        "refused: the range is reserved",
    ),
    rule(
        "brief-overlay-pod-capacity",
        "how much pod CIDR an overlay cluster uses",
        "a /24 for every node and surge node, whatever maxPods is",
    ),
    rule(
        "brief-dynamic-pod-capacity",
        "how much pod subnet dynamic allocation uses",
        "batches for the pods planned, and full density as the upper bound",
    ),
    rule(
        "brief-plan-node-vs-pod-capacity",
        "node subnet and pod CIDR of different reach",
        "no error; the smaller bound is named",
    ),
    rule("brief-shared-overlay-cidr", "one pod CIDR for several overlay clusters", "allowed, an information"),
    rule(
        "brief-managed-natgw-byo",
        "a managed NAT gateway in a VNet of one's own",
        "an error; userAssignedNATGateway instead",
    ),
    rule(
        "brief-netpol-localdns",
        "default-deny egress with LocalDNS",
        "a policy that opens port 53 of kube-system only cuts DNS",
    ),
    rule(
        "brief-service-cidr-immutable",
        "changing the service CIDR",
        "extended from Kubernetes 1.33, never shrunk or replaced",
    ),
    rule("pods-per-cluster-overlay", "pods of an overlay cluster", "a warning from 200,000, an error above 250,000"),
    rule("flat-ip-ceiling", "addresses of a VNet with pods in it", "65,536 at most, 50,000 pods recommended"),
    rule(
        "brief-agc-preview",
        "state of Application Gateway for Containers",
        "generally available, overlay supported; an old controller is a warning",
    ),
    rule("apiserver-vnetint-status", "state of API server VNet integration", "generally available"),
    rule(
        "brief-konnectivity-scope",
        "which clusters use the tunnel",
        "public and private ones; with VNet integration overlay and own plugins only",
    ),
    rule(
        "brief-masq-link-local",
        "masqLinkLocal where the platform runs an agent",
        "always true there, because booleans are or-ed; a user's file decides with pod subnets only",
    ),
    rule(
        "brief-masq-defaults-dropped",
        "what a small masquerade file does to private destinations",
        "the union starts from nothing: a file without a list masquerades everything",
    ),
    rule("brief-masq-under-ebpf", "iptables masquerade and eBPF host routing", "does not work together"),
    rule("brief-masq-image-tag", "version in the agent's image tag", "nothing is concluded from it"),
    rule("masq-readme-link-local", "wording of masqLinkLocal", "false exempts link-local"),
    rule("masq-conflict-detection", "whether the agent reports contradicting files", "it does not; this product does"),
    rule(
        "masq-example-manifest",
        "the agent's example manifest",
        "its wrong indentation and missing namespace are reported when met",
    ),
    rule("default-cni-when-omitted", "plugin when none is given", "overlay; a warning where a template omits it"),
    rule(
        "nsg-node-pod-direction",
        "direction of rules between nodes and pods",
        "both are needed; one only is a warning",
    ),
    rule(
        "agic-overlay-version",
        "oldest Application Gateway ingress controller for overlay",
        "1.9.1 and the delegation; a warning from 1.8.0",
    ),
    rule("ipam-release-boundary", "when a node gives addresses back", "above 24 free; at 24 by the older code"),
    rule("max-pods-default-pod-subnet", "default maxPods with pod subnets", "never assumed: planned with 250 and said"),
    rule("pod-subnets-per-cluster", "pod subnets of a cluster", "one a pool"),
    rule(
        "delegation",
        "delegation of node and pod subnets",
        "none on node subnets; on API server, container gateway and virtual node subnets their own; on pod subnets AKS's is accepted",
    ),
    rule("static-block-preview", "state of static block allocation", "supported; status differs between pages"),
    rule(
        "insufficient-subnet-formula",
        "addresses of a node-subnet pool",
        "(nodes + surge) * (1 + maxPods) and the reserved ones",
    ),
    rule("service-cidr-12", "a /12 service CIDR", "refused"),
    rule("subnet-expansion", "growing a subnet in use", "never planned on: a new pool on a new subnet"),
    rule(
        "custom-role",
        "smallest role on a subnet",
        "join and read; roleAssignments/write for whoever creates the cluster",
    ),
    rule("max-surge-default", "default maxSurge", "a tenth of the pool, rounded up, at least one"),
    rule("natgw-to-lb", "leaving a managed NAT gateway", "unsupported, with a doubt"),
    rule(
        "lb-idle-timeout",
        "idle timeout of load balancers",
        "outbound rule 30 minutes (4 to 120), inbound rule 4 (4 to 30), any other 4",
    ),
    rule("istio-gateway-api", "Gateway API with the Istio add-on", "supported from asm-1-26"),
    rule("virtual-nodes-vnet", "VNet of virtual nodes", "the cluster's, on a subnet of their own"),
    rule("flat-no-snat", "whether pods of flat modes are translated", "the table of modes decides"),
    rule("overlay-pod-cidr-scope", "what an overlay pod CIDR may not overlap", "any prefix of the cluster's VNet"),
    rule("reserved-per-subnet", "addresses reserved in a subnet", "five"),
    rule("max-pods-mutable", "changing maxPods of a pool", "not possible"),
    rule("policy-on-overlay-upgrade", "kubenet with Calico to overlay", "the engine is uninstalled first"),
    rule("update-overlay-pod-cidr", "pod CIDR in an update from node subnet to overlay", "must be given"),
    rule(
        "ipv6-etp-local",
        "externalTrafficPolicy of IPv6 Services",
        "an error on Azure Linux pools, a warning elsewhere",
    ),
    rule("routes-per-table", "routes of a table", "kubenet 400 nodes; tables 400 routes unless overridden"),
    rule("largest-subnet", "the largest subnet", "/8"),
    rule("default-outbound-date", "end of default outbound access", "never relied on; 2026-03-31 in VNets AKS manages"),
    rule("kubenet-portal-max-pods", "default maxPods of kubenet", "110 when absent, and said"),
    rule("nginx-still-recommended", "nginx of application routing", "a warning on new designs"),
    rule(
        "sample-service-inside-vnet",
        "published samples with the service CIDR inside the VNet",
        "a warning inside the VNet, an error on a subnet",
    ),
    rule("static-block-migration", "dynamic to static block", "pool by pool, never in place"),
    rule("agc-node-subnet", "Application Gateway for Containers with node subnet", "supported, with a note"),
    rule(
        "apiserver-subnet-delegation-owner",
        "who delegates the API server's subnet",
        "the delegation is checked; none yet is accepted for AKS Automatic",
    ),
    rule(
        "snat-default-per-frontend",
        "automatic ports and the number of addresses",
        "table times addresses, 1,024 at most",
    ),
    rule("snat-rounding", "rounding of nodes per port count", "down"),
    rule("overlay-virtual-nodes-and-flat", "modes of virtual nodes", "flat ones only"),
    rule("brief-nsg-subnet", "who owns a subnet's security group", "the user; AKS edits the interfaces' group only"),
];

/// Everything nobody has established.
pub const UNKNOWNS: &[Unknown] = &[
    open(
        "unk.podsubnet-lb-egress",
        "which address pods of a pod subnet show the internet behind a load balancer",
        "a public address of the outbound method, marked unverified",
        "from a pod, call a page that answers with the address it sees, and compare it with `az network public-ip list`",
    ),
    open(
        "unk.static-max-pods",
        "the default maxPods of static block allocation",
        "to be stated",
        "`az aks nodepool show --query maxPods`, and state it as `maxPods`",
    ),
    open(
        "unk.static-virtual-nodes",
        "virtual nodes with static block allocation",
        "a warning",
        "try the add-on on a cluster of that mode, or ask the vendor",
    ),
    open(
        "unk.static-boundary-blocks",
        "whether the first and last /28 of a static-block pod subnet are ever handed out",
        "counted as lost; overridable as staticBlocksLost",
        "fill a small pod subnet with nodes and look which blocks `kubectl get nodenetworkconfigs -A -o yaml` names",
    ),
    open(
        "unk.windows-reserved",
        "how many more addresses a Windows node reserves",
        "a tenth more; overridable as windowsReservedPercent",
        "count what a Windows node holds, with `az network vnet list-available-ips` and `az network vnet subnet show --query ipConfigurations` before and after a node joins",
    ),
    open(
        "unk.routes-limit",
        "routes of a table today",
        "400; overridable as routesPerTable",
        "`az network list-usages --location REGION`, or the page of Azure's networking limits",
    ),
    open(
        "unk.vnet-limits-2026",
        "the limits of VNets today",
        "those of 2022; overridable",
        "`az network list-usages --location REGION`, or the page of Azure's networking limits; set what differs under `limits`",
    ),
    open(
        "unk.largest-subnet",
        "the largest subnet today",
        "/8; overridable as shortestSubnetPrefix",
        "try the subnet in a VNet of that size: the platform refuses one that is too large",
    ),
    open(
        "unk.managed-vnet-ranges",
        "ranges of a VNet AKS manages",
        "to be stated; 10.224.0.0/12 only as a hint",
        "`az network vnet list -g MC_GROUP` on a cluster that runs, and describe the network in the design",
    ),
    open(
        "unk.snat-above-1000",
        "automatic ports above 1,000 nodes",
        "a failure: state ports or use a NAT gateway",
        "`az network lb outbound-rule list -g MC_GROUP --lb-name kubernetes`, field `allocatedOutboundPorts`; then state `portsPerNode`",
    ),
    open(
        "unk.kubenet-masq",
        "the platform's masquerade file for kubenet",
        "the pod CIDR; overridden by stating the files",
        "`kubectl -n kube-system get configmap azure-ip-masq-agent-config-reconciled -o yaml`, and give it as an input",
    ),
    open(
        "unk.firewall-ports",
        "whether an Azure Firewall has 2,496 ports per address or per address and instance",
        "per address; overridable as snatPortsPerFirewallIp",
        "watch the firewall's metric of SNAT port use with a known number of connections, or ask the vendor",
    ),
    open(
        "unk.agc-overlay",
        "the oldest controller of Application Gateway for Containers for overlay",
        "a warning",
        "read the release notes of the ALB controller",
    ),
    open(
        "unk.agc-shared-pod-cidr",
        "two overlay clusters with one pod CIDR behind container gateways of one VNet",
        "a warning",
        "call pods of both clusters through their gateways in a VNet for tests, or give the clusters different ranges",
    ),
    open(
        "unk.service-cidr-12",
        "whether AKS takes a /12 service CIDR",
        "refused; overridable as shortestServicePrefix",
        "`az aks create` with such a range in a subscription for tests",
    ),
    open(
        "unk.ipv6-node-block",
        "the IPv6 block of a node",
        "/80 for display only",
        "`kubectl get nodes -o yaml` of a dual-stack cluster, field `spec.podCIDRs`",
    ),
    open(
        "unk.overlay-own-node",
        "the address a pod of overlay shows its own node",
        "its own; other nodes see the node's",
        "from a pod, connect to a server on the host network of the pod's own node and look at the peer's address there",
    ),
    open(
        "unk.service-limits-page",
        "today's general limits of AKS",
        "those of 2024, which agree with newer pages where both speak",
        "read the page of AKS quotas and limits; set what differs under `limits`",
    ),
    open(
        "unk.ebpf-host-routing-podsubnet",
        "eBPF host routing with pod subnets",
        "taken as possible",
        "ask the Cilium agent of a node: `kubectl -n kube-system exec ds/cilium -- cilium status --verbose`",
    ),
];

/// The disagreement of that name.
pub fn disagreement(id: &str) -> Option<&'static Disagreement> {
    DISAGREEMENTS.iter().find(|row| row.id == id)
}

/// The open question of that name.
pub fn unknown(id: &str) -> Option<&'static Unknown> {
    UNKNOWNS.iter().find(|row| row.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Limits, ModeFacts, TABLES};
    use std::collections::BTreeSet;

    #[test]
    fn rows_are_unique_and_notes_name_known_ones() {
        let ids: BTreeSet<_> =
            DISAGREEMENTS.iter().map(|row| row.id).chain(UNKNOWNS.iter().map(|row| row.id)).collect();
        assert_eq!(ids.len(), DISAGREEMENTS.len() + UNKNOWNS.len());
        let tables = TABLES.iter().flat_map(|(_, index)| index.iter().copied());
        let modes = crate::design::Mode::WORDS.iter().flat_map(|(_, mode)| ModeFacts::of(*mode).index());
        for about in tables.chain(modes) {
            for word in about
                .note
                .split([' ', ';', ',', ':'])
                .filter(|word| word.starts_with("unk.") || word.starts_with("brief-"))
            {
                assert!(ids.contains(word), "`{word}` in the note of {}", about.id);
            }
            for part in about.note.split("; ") {
                let Some((name, _)) = part.split_once(':') else { continue };
                if name.contains('-')
                    && name
                        .bytes()
                        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte))
                {
                    assert!(ids.contains(name), "`{name}` in the note of {}", about.id);
                }
            }
        }
        assert!(disagreement("natgw-to-lb").is_some() && disagreement("unk.routes-limit").is_none());
        assert!(unknown("unk.routes-limit").is_some());
    }

    #[test]
    fn what_is_called_overridable_is() {
        for row in UNKNOWNS {
            if let Some((_, name)) = row.meanwhile.split_once("overridable as ") {
                assert!(Limits::find(name).is_some(), "{name}");
            }
        }
    }
}
