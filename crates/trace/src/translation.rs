//! Who translates on a cluster's nodes, and which destinations are exempt: the files, the platform's own configuration and
//! what was observed, put together.

use causeway_addr::{Cidr, Family, RangeSet};
use causeway_model::design::{AgentManifest, Cluster, ClusterName, Design, MasqueradeAgent, Mode};
use causeway_model::facts::ModeFacts;
use causeway_model::facts::masquerade::{self as facts, ShippedConfig};
use causeway_model::facts::mode::Shipped;
use causeway_model::facts::{cilium, special};
use causeway_model::masquerade::{
    MasqueradeConfig, MasqueradeOutcome, MasqueradeReader, MasqueradeReading, ReadMasqueradeFile,
};
use causeway_model::source::Span;
use std::net::IpAddr;

/// What happens to the source of packets that leave a node of a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effective {
    /// This.
    Known(Translation),
    /// It can't be said.
    Unknown {
        /// What would have to be known.
        missing: Vec<String>,
    },
}

impl Effective {
    /// The answer, if there is one.
    pub fn known(&self) -> Option<&Translation> {
        match self {
            Effective::Known(translation) => Some(translation),
            Effective::Unknown { .. } => None,
        }
    }
}

/// Who translates, and what is exempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Translation {
    /// Who translates; [`MasqueradeAgent::None`] = nobody, every packet keeps its source (but for the few rules of
    /// [`Translation::platform_snat`]).
    pub by: MasqueradeAgent,
    /// What it does; empty when nobody translates.
    pub config: MasqueradeConfig,
    /// Where each exempt range comes from, in the order of `config.exempt`.
    pub entries: Vec<Exemption>,
    /// The platform runs it and keeps a configuration of its own.
    pub shipped: bool,
    /// Azure's CNI translates DNS and metadata packets of pods by itself, before anything here is asked.
    pub platform_snat: bool,
    /// How it came to this, one step a line.
    pub because: Vec<String>,
}

/// An exempt range and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exemption {
    /// The range.
    pub cidr: Cidr,
    /// Where it comes from.
    pub origin: Origin,
}

/// Where an exempt range comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The platform's own configuration, as it is known for the mode.
    Platform,
    /// The program's built-in list.
    Default,
    /// A file.
    File {
        /// Dotted path of the file.
        object: String,
        /// The entry itself.
        at: Option<Span>,
        /// The file is the one the platform writes.
        reconciled: bool,
    },
    /// What a node was seen to have.
    Observed {
        /// Dotted path.
        object: String,
    },
}

impl Origin {
    /// Somebody wrote it, or left it; it is not the platform's.
    pub fn is_users(&self) -> bool {
        !matches!(self, Origin::Platform)
    }

    /// The dotted path, where there is one.
    pub fn object(&self) -> Option<&str> {
        match self {
            Origin::File { object, .. } | Origin::Observed { object } => Some(object),
            Origin::Platform | Origin::Default => None,
        }
    }

    /// The entry's own place.
    pub fn at(&self) -> Option<Span> {
        match self {
            Origin::File { at, .. } => *at,
            _ => None,
        }
    }
}

impl Translation {
    fn nobody(because: String) -> Translation {
        Translation {
            by: MasqueradeAgent::None,
            config: MasqueradeConfig::default(),
            entries: Vec::new(),
            shipped: false,
            platform_snat: false,
            because: vec![because],
        }
    }

    /// Somebody translates.
    pub fn translates(&self) -> bool {
        self.by != MasqueradeAgent::None
    }

    /// The destinations to which packets keep their source.
    pub fn kept(&self) -> RangeSet {
        if !self.translates() {
            return Family::ALL.into_iter().map(Family::everything).collect();
        }
        self.config.kept()
    }
}

/// The name AKS gives its own DaemonSet.
const PLATFORM_DAEMON_SET: &str = "azure-ip-masq-agent";

/// A file of this name is the one AKS writes.
const RECONCILED_FILE: &str = "ip-masq-agent-reconciled";

/// A DaemonSet that is not the platform's.
pub fn own_manifest(cluster: &Cluster) -> Option<&AgentManifest> {
    let manifest = cluster.masquerade.as_ref()?.daemon_set.as_ref()?;
    (!manifest.name.starts_with(PLATFORM_DAEMON_SET)).then_some(manifest)
}

/// The file the platform writes.
pub fn is_reconciled(file: &ReadMasqueradeFile) -> bool {
    file.config_map.as_deref() == Some(facts::CONFIG_MAPS.value.0) || file.name == RECONCILED_FILE
}

/// A ConfigMap of the agent AKS runs.
pub fn is_platform_config_map(name: &str) -> bool {
    [facts::CONFIG_MAPS.value.0, facts::CONFIG_MAPS.value.1].contains(&name)
}

/// Whether the platform runs an agent in the cluster's mode; `None` = the mode is not known, or leaves it to a plugin.
pub fn platform_agent(cluster: &Cluster) -> Option<bool> {
    match ModeFacts::of(cluster.mode?).masquerade.value {
        Shipped::Plugin => None,
        shipped => Some(shipped.has_agent()),
    }
}

/// Who translates on a cluster's nodes, and what is exempt.
pub fn effective(design: &Design, name: &ClusterName) -> Effective {
    let unknown = |what: &str| Effective::Unknown { missing: vec![what.to_owned()] };
    let Some(cluster) = design.clusters.get(name) else { return unknown("the cluster") };
    let path = format!("clusters.{name}");
    let settled = Settling { design, cluster }.settle();
    match &cluster.observed_exempt {
        Some(observed) => with_observed(settled, observed, &path, cluster),
        None => settled,
    }
}

/// What a node was seen to have wins over what the files say.
fn with_observed(settled: Effective, observed: &[Cidr], path: &str, cluster: &Cluster) -> Effective {
    let base = match settled {
        Effective::Known(translation) => Some(translation),
        Effective::Unknown { .. } => None,
    };
    let stated = cluster.masquerade.as_ref().and_then(|masquerade| masquerade.agent);
    let by = match base.as_ref().map(|base| base.by).or(stated) {
        Some(MasqueradeAgent::None) | None => MasqueradeAgent::IpMasqAgentV2,
        Some(by) => by,
    };
    let mut exempt: Vec<Cidr> = observed.to_vec();
    exempt.sort();
    exempt.dedup();
    let sees = |range: &Cidr| exempt.iter().any(|cidr| cidr.covers(range));
    let link_local = base.as_ref().is_none_or(|base| base.config.link_local || !base.translates());
    let entry = |cidr: &Cidr| {
        let at = observed.iter().position(|other| other == cidr).unwrap_or(0);
        Exemption { cidr: *cidr, origin: Origin::Observed { object: format!("{path}.observedRules.exempt.{at}") } }
    };
    Effective::Known(Translation {
        by,
        entries: exempt.iter().map(entry).collect(),
        config: MasqueradeConfig {
            link_local: link_local && !sees(&special::LINK_LOCAL),
            link_local_v6: base.as_ref().is_some_and(|base| base.config.link_local_v6),
            ipv6: base.as_ref().is_some_and(|base| base.config.ipv6),
            exempt,
        },
        shipped: base.as_ref().is_some_and(|base| base.shipped),
        platform_snat: base.as_ref().map_or_else(|| has_platform_snat(cluster), |base| base.platform_snat),
        because: vec!["`observedRules` says what a node has, whatever the files say".to_owned()],
    })
}

fn has_platform_snat(cluster: &Cluster) -> bool {
    cluster.mode.is_some_and(Mode::uses_pod_subnet) && !cluster.ebpf_host_routing
}

struct Settling<'a> {
    design: &'a Design,
    cluster: &'a Cluster,
}

impl Settling<'_> {
    fn settle(&self) -> Effective {
        let unknown = |missing: Vec<String>| Effective::Unknown { missing };
        let stated = self.stated();
        if stated == Some(MasqueradeAgent::None) {
            return Effective::Known(Translation {
                platform_snat: has_platform_snat(self.cluster),
                ..Translation::nobody("`agent: none` is stated".to_owned())
            });
        }
        let Some(mode) = self.cluster.mode else { return unknown(vec!["the cluster's mode".to_owned()]) };
        if let Some(reading) = self.reading().filter(|reading| !reading.missing.is_empty()) {
            return unknown(reading.missing.clone());
        }
        if self.cluster.ebpf_host_routing {
            return self.under_ebpf(mode);
        }
        match ModeFacts::of(mode).masquerade.value {
            Shipped::ExemptsPodCidrs | Shipped::ExemptsVnetPrefixes => self.platforms(MasqueradeReader::V2),
            Shipped::Nothing if !self.has_own() => Effective::Known(Translation {
                platform_snat: true,
                ..Translation::nobody(format!(
                    "AKS ships no masquerade agent in mode `{mode}`: {}",
                    ModeFacts::of(mode).masquerade.cite()
                ))
            }),
            Shipped::Plugin if !self.has_own() => {
                unknown(vec!["what the cluster's own CNI plugin translates".to_owned()])
            }
            Shipped::Nothing | Shipped::Plugin => self.own(),
        }
    }

    fn stated(&self) -> Option<MasqueradeAgent> {
        self.cluster.masquerade.as_ref()?.agent
    }

    fn reading(&self) -> Option<&MasqueradeReading> {
        self.cluster.masquerade.as_ref().map(|masquerade| &masquerade.reading)
    }

    /// Somebody deployed an agent of their own: it is stated, its DaemonSet was given, or files that only such a one reads.
    fn has_own(&self) -> bool {
        let files = |reading: &MasqueradeReading| {
            reading.files.iter().any(|file| !file.config_map.as_deref().is_some_and(is_platform_config_map))
        };
        self.stated().is_some()
            || self.cluster.masquerade.as_ref().is_some_and(|masquerade| masquerade.daemon_set.is_some())
            || self.reading().is_some_and(files)
    }

    /// An agent of the user's, in a mode in which the platform has none.
    fn own(&self) -> Effective {
        let reading = self.reading();
        let reader = reading.and_then(|reading| reading.reader).unwrap_or(MasqueradeReader::V2);
        let by = self.stated().unwrap_or(match reader {
            MasqueradeReader::Original => MasqueradeAgent::IpMasqAgent,
            MasqueradeReader::Cilium => MasqueradeAgent::Cilium,
            _ => MasqueradeAgent::IpMasqAgentV2,
        });
        let mut because = vec![format!("{by} reads the files of the design")];
        if self.stated().is_none() && own_manifest(self.cluster).is_none() {
            because.push("no agent is stated; ip-masq-agent-v2 is assumed, because there are files for it".to_owned());
        }
        self.applied(reader, by, because)
    }

    fn applied(&self, reader: MasqueradeReader, by: MasqueradeAgent, mut because: Vec<String>) -> Effective {
        let Some(reading) = self.reading() else {
            return Effective::Unknown { missing: vec!["the agent's files".to_owned()] };
        };
        match reading.outcomes.get(&reader) {
            Some(MasqueradeOutcome::Applied { config, defaults }) => {
                if *defaults {
                    because.push("no file takes part, so the built-in list counts".to_owned());
                }
                Effective::Known(Translation {
                    by,
                    entries: self.entries(config, false),
                    config: config.clone(),
                    shipped: false,
                    platform_snat: has_platform_snat(self.cluster),
                    because,
                })
            }
            Some(MasqueradeOutcome::Refused { message, .. }) => Effective::Unknown { missing: vec![refused(message)] },
            None => Effective::Unknown { missing: vec!["the agent's files".to_owned()] },
        }
    }

    /// The agent the platform runs, which joins its own configuration and the user's.
    fn platforms(&self, reader: MasqueradeReader) -> Effective {
        let unknown = |missing: String| Effective::Unknown { missing: vec![missing] };
        let by = if reader == MasqueradeReader::V2 { MasqueradeAgent::IpMasqAgentV2 } else { MasqueradeAgent::Cilium };
        let files = self.reading().map_or(&[][..], |reading| &reading.files);
        let reconciled = files.iter().any(is_reconciled);
        let shipped = match ShippedConfig::of(self.design, self.cluster) {
            _ if reconciled => None,
            Some(shipped) => Some(shipped),
            None => {
                return unknown(
                    "the ranges AKS exempts: the pod range, or the prefixes of the cluster's VNet".to_owned(),
                );
            }
        };
        let mut because = vec![match (&shipped, self.cluster.mode) {
            (Some(shipped), Some(mode)) => format!(
                "AKS runs the agent in mode `{mode}` and exempts {}: {}",
                joined(&shipped.non_masquerade),
                facts::SHIPPED_LINK_LOCAL.cite()
            ),
            _ => "the file AKS writes was given".to_owned(),
        }];
        let own = own_manifest(self.cluster).filter(|_| reader == MasqueradeReader::V2);
        let users = match self.reading().and_then(|reading| reading.outcomes.get(&reader)) {
            // No file but the platform's.
            Some(MasqueradeOutcome::Applied { defaults: true, .. }) | None => None,
            Some(MasqueradeOutcome::Applied { config, .. }) => Some(config),
            Some(MasqueradeOutcome::Refused { message, .. }) => return unknown(refused(message)),
        };
        let mut config = users.cloned().unwrap_or_default();
        if let Some(own) = own {
            let Some(chain) = self.reading().and_then(|reading| reading.chain.as_ref()) else {
                return unknown(format!("which of two agents wrote the chain last: AKS' own or `{}`", own.name));
            };
            because.push(format!("`{}` adds the chain `{chain}`: only what both exempt keeps its source", own.name));
            return self.both(shipped, &config, because);
        }
        config.ipv6 = self.cluster.ip_families.contains(&causeway_model::design::IpFamily::Ipv6);
        if let Some(shipped) = &shipped {
            config.exempt.extend(&shipped.non_masquerade);
            // The list AKS writes has no IPv6 range, and yet pods reach each other with their own address in both families.
            config.exempt.extend(self.cluster.pod_cidrs.iter().filter(|cidr| cidr.is_v6() && config.ipv6));
            config.exempt.sort();
            config.exempt.dedup();
            config.link_local |= shipped.link_local;
            config.link_local_v6 |= shipped.link_local_ipv6;
        }
        if users.is_some() {
            because.push("the lists of all files are joined, and their booleans ORed".to_owned());
        }
        Effective::Known(Translation {
            by,
            entries: self.entries(&config, shipped.is_some()),
            config,
            shipped: true,
            platform_snat: has_platform_snat(self.cluster),
            because,
        })
    }

    /// Two chains, one after the other: a packet that returns from one still meets the other.
    fn both(&self, shipped: Option<ShippedConfig>, own: &MasqueradeConfig, because: Vec<String>) -> Effective {
        let shipped = match shipped.or_else(|| ShippedConfig::of(self.design, self.cluster)) {
            Some(shipped) => shipped,
            None => return Effective::Unknown { missing: vec!["the ranges AKS exempts".to_owned()] },
        };
        let theirs: RangeSet = shipped.non_masquerade.iter().copied().collect();
        let ours: RangeSet = own.exempt.iter().copied().collect();
        let config = MasqueradeConfig {
            exempt: theirs.intersection(&ours).cidrs().collect(),
            link_local: shipped.link_local || own.link_local,
            link_local_v6: shipped.link_local_ipv6 || own.link_local_v6,
            ipv6: self.cluster.ip_families.contains(&causeway_model::design::IpFamily::Ipv6),
        };
        Effective::Known(Translation {
            by: MasqueradeAgent::IpMasqAgentV2,
            entries: self.entries(&config, true),
            config,
            shipped: true,
            platform_snat: false,
            because,
        })
    }

    /// With eBPF host routing Cilium translates, from a map that AKS fills.
    fn under_ebpf(&self, mode: Mode) -> Effective {
        let cite = format!(
            "with eBPF host routing iptables is bypassed and Cilium translates: {}",
            cilium::HOST_ROUTING.cite()
        );
        let with = |effective: Effective| match effective {
            Effective::Known(mut translation) => {
                translation.because.insert(0, cite.clone());
                Effective::Known(translation)
            }
            unknown => unknown,
        };
        let cilium = self.stated() == Some(MasqueradeAgent::Cilium);
        match ModeFacts::of(mode).masquerade.value {
            Shipped::ExemptsPodCidrs | Shipped::ExemptsVnetPrefixes => with(self.platforms(MasqueradeReader::Merger)),
            _ if cilium => with(self.applied(MasqueradeReader::Cilium, MasqueradeAgent::Cilium, Vec::new())),
            Shipped::Nothing => with(Effective::Known(only_platform_addresses())),
            Shipped::Plugin => {
                Effective::Unknown { missing: vec!["what the cluster's own CNI plugin translates".to_owned()] }
            }
        }
    }

    /// Each exempt range with the file it stands in.
    fn entries(&self, config: &MasqueradeConfig, shipped: bool) -> Vec<Exemption> {
        let files = self.reading().map_or(&[][..], |reading| &reading.files);
        let origin = |cidr: &Cidr| {
            let mut found = files.iter().filter(|file| file.takes_part).flat_map(|file| {
                let list = file.list.iter().flatten();
                list.filter(|entry| entry.cidr.as_ref() == Some(cidr)).map(move |entry| Origin::File {
                    object: file.object.clone(),
                    at: entry.at,
                    reconciled: is_reconciled(file),
                })
            });
            found.next().unwrap_or(if shipped { Origin::Platform } else { Origin::Default })
        };
        config.exempt.iter().map(|cidr| Exemption { cidr: *cidr, origin: origin(cidr) }).collect()
    }
}

/// Everything is exempt but the platform's DNS and metadata addresses.
fn only_platform_addresses() -> Translation {
    let mut kept: RangeSet = [Family::V4.everything()].into_iter().collect();
    for address in facts::EBPF_POD_SUBNET_MASQUERADES.value {
        kept.remove(Cidr::host(IpAddr::V4(*address)));
    }
    let exempt: Vec<Cidr> = kept.cidrs().collect();
    Translation {
        by: MasqueradeAgent::Cilium,
        entries: exempt.iter().map(|cidr| Exemption { cidr: *cidr, origin: Origin::Platform }).collect(),
        config: MasqueradeConfig { exempt, link_local: true, link_local_v6: true, ipv6: false },
        shipped: true,
        platform_snat: false,
        because: vec![format!(
            "everything but the platform's DNS and metadata addresses is exempt: {}",
            facts::EBPF_POD_SUBNET_MASQUERADES.cite()
        )],
    }
}

fn refused(message: &str) -> String {
    format!("the rules of before, which stay in place: the agent refuses its configuration (`{message}`)")
}

fn joined(cidrs: &[Cidr]) -> String {
    cidrs.iter().map(|cidr| format!("`{cidr}`")).collect::<Vec<_>>().join(", ")
}
