//! The ranges of a design with everybody who takes addresses from them.

use super::count::{Count, many};
use super::demand::{self, Nodes, PerNode, Phase};
use super::inventory::{self, Inventory};
use super::needs::{self, Needs};
use super::tenants::{self, Tenant, ipv4};
use super::{AddressPool, PoolKind, argument, losses, services};
use causeway_addr::Cidr;
use causeway_model::arithmetic::{pods, subnet};
use causeway_model::design::{Cluster, ClusterName, Design, Mode, Os, Pool, PoolName, SubnetRef};
use causeway_model::facts::Limits;
use std::collections::{BTreeMap, BTreeSet};

/// What somebody takes addresses for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Nodes (and, in node-subnet mode, their pods).
    Nodes,
    /// Pods on a subnet of their own.
    Pods,
    /// Node blocks of the pod range.
    Blocks,
}

/// A node pool as a user of one range.
#[derive(Debug, Clone)]
pub(crate) struct User<'a> {
    pub(crate) cluster_name: &'a ClusterName,
    pub(crate) cluster: &'a Cluster,
    pub(crate) pool_name: &'a PoolName,
    pub(crate) pool: &'a Pool,
    pub(crate) role: Role,
    pub(crate) nodes: Nodes,
    pub(crate) per_node: PerNode,
    /// Its nodes and pods, where all are listed.
    pub(crate) inventory: Option<Inventory>,
}

impl User<'_> {
    /// `clusters.CLUSTER.pools.POOL`.
    pub(crate) fn path(&self) -> String {
        format!("clusters.{}.pools.{}", self.cluster_name, self.pool_name)
    }

    /// `CLUSTER/POOL`.
    pub(crate) fn name(&self) -> String {
        format!("{}/{}", self.cluster_name, self.pool_name)
    }

    /// Nodes in a phase.
    pub(crate) fn nodes(&self, phase: Phase) -> Count {
        self.nodes.at(self.pool, phase)
    }

    /// Addresses held now as counted: by the nodes' own account, else from the pods listed. Only where pods take them as they come;
    /// in other modes nodes hold what they hold.
    pub(crate) fn measured(&self) -> Option<u64> {
        self.per_node.pods?;
        let listed = || Some(self.inventory.as_ref()?.held(demand::batches(self.cluster)));
        self.pool.allocated.or_else(listed)
    }

    /// Addresses in a phase.
    pub(crate) fn held(&self, phase: Phase) -> Count {
        match (phase, self.measured()) {
            (Phase::Now, Some(measured)) => Count::exact(measured),
            _ => self.nodes(phase).times(self.per_node.addresses),
        }
    }

    /// Addresses now that need no assumption on how full the nodes are: counted ones, a batch a node, or what is reserved at once.
    pub(crate) fn certain_now(&self) -> Count {
        match (self.per_node.pods, self.measured()) {
            (_, Some(_)) | (None, _) => self.held(Phase::Now),
            (Some(_), None) => {
                let floor = demand::batches(self.cluster).held(0);
                self.nodes(Phase::Now).times(Count::exact(floor))
            }
        }
    }
}

/// What is answered about a range, with what the findings need beside it.
#[derive(Debug, Clone)]
pub(crate) struct Row<'a> {
    pub(crate) answer: AddressPool,
    pub(crate) users: Vec<User<'a>>,
    pub(crate) tenants: Vec<Tenant>,
    /// The subnet, where it is one.
    pub(crate) subnet: Option<SubnetRef>,
    /// The IPv4 prefixes.
    pub(crate) prefixes: Vec<Cidr>,
    pub(crate) needs: Needs,
    /// Addresses that others than nodes and pods hold.
    pub(crate) others: Count,
}

impl Row<'_> {
    /// Addresses that can be handed out.
    pub(crate) fn usable(&self) -> Option<u64> {
        self.answer.usable
    }

    /// Addresses of the users in a phase, headroom and churn counted in where the phase has them.
    pub(crate) fn users_hold(&self, phase: Phase) -> Count {
        needs::hold(&self.users, phase)
    }

    /// The most a node of any user takes: what a node nobody assigned to a pool is counted as.
    pub(crate) fn costliest_node(&self) -> Count {
        needs::costliest(self.users.iter())
    }

    /// Some of it comes in whole /28 blocks.
    pub(crate) fn in_blocks(&self) -> bool {
        self.users.iter().any(|user| user.per_node.in_blocks)
    }

    /// Windows nodes take more than Linux ones, and nobody says how much more.
    pub(crate) fn has_windows_nodes(&self) -> bool {
        self.users.iter().any(|user| user.role == Role::Nodes && user.pool.os == Os::Windows)
    }
}

/// Every range of the design, by name.
pub(crate) fn all(design: &Design) -> Vec<Row<'_>> {
    let (limits, _) = Limits::with_overrides(&design.limit_overrides);
    let mut tenants = tenants::of(design, &limits);
    let mut subnets: BTreeMap<SubnetRef, Vec<User>> = BTreeMap::new();
    let mut rows = Vec::new();
    for (cluster_name, cluster) in &design.clusters {
        let mut blocks = Vec::new();
        let mut listed = inventory::of(cluster);
        for (pool_name, pool) in &cluster.pools {
            let inventory = listed.remove(pool_name);
            let user = |role, per_node| User {
                inventory: inventory.clone(),
                cluster_name,
                cluster,
                pool_name,
                pool,
                role,
                nodes: Nodes::of(cluster, pool_name, pool),
                per_node,
            };
            if let Some(subnet) = &pool.subnet {
                let taken = demand::from_node_subnet(cluster, pool);
                subnets.entry(subnet.clone()).or_default().push(user(Role::Nodes, taken));
            }
            if let Some(subnet) = &pool.pod_subnet {
                let taken = demand::from_pod_subnet(cluster, pool);
                if taken.addresses != Count::NONE {
                    subnets.entry(subnet.clone()).or_default().push(user(Role::Pods, taken));
                }
            }
            let taken = demand::from_pod_cidr(cluster, pool);
            if taken.addresses != Count::NONE {
                blocks.push(user(Role::Blocks, taken));
            }
        }
        if !blocks.is_empty() && (cluster.mode.is_some_and(Mode::uses_pod_cidr) || !cluster.pod_cidrs.is_empty()) {
            rows.push(pod_cidr_row(design, &limits, cluster_name, cluster, blocks));
        }
        if !cluster.service_cidrs.is_empty() {
            rows.push(services::row(cluster_name, cluster));
        }
    }
    for (reference, users) in subnets {
        let tenants = tenants.remove(&reference).unwrap_or_default();
        rows.push(subnet_row(design, &limits, reference, users, tenants));
    }
    for row in &mut rows {
        argument::explain(design, row);
    }
    bounds(&mut rows);
    rows.sort_by(|one, other| one.answer.pool.cmp(&other.answer.pool));
    rows
}

fn subnet_row<'a>(
    design: &Design,
    limits: &Limits,
    reference: SubnetRef,
    users: Vec<User<'a>>,
    tenants: Vec<Tenant>,
) -> Row<'a> {
    let kind =
        if users.iter().any(|user| user.role == Role::Nodes) { PoolKind::NodeSubnet } else { PoolKind::PodSubnet };
    let prefixes = design.subnet(&reference).map(|subnet| ipv4(&subnet.prefixes)).unwrap_or_default();
    let blocks = users.iter().any(|user| user.per_node.in_blocks);
    let usable = |prefix: &Cidr| {
        if blocks {
            let whole = size(prefix) / pods::STATIC_BLOCK_ADDRESSES;
            whole.saturating_sub(limits.static_blocks_lost).saturating_mul(pods::STATIC_BLOCK_ADDRESSES)
        } else {
            subnet::usable(size(prefix))
        }
    };
    let others: Count = tenants.iter().map(|tenant| tenant.addresses).sum();
    // An address taken out of a block takes the block: nobody else gets the rest of it.
    let others = if blocks { others.map(|count| count.next_multiple_of(pods::STATIC_BLOCK_ADDRESSES)) } else { others };
    let needs = needs::of(design, &users, others);
    let smallest = needs.upgrade.value().and_then(|need| {
        if blocks {
            let blocks = need.div_ceil(pods::STATIC_BLOCK_ADDRESSES).saturating_add(limits.static_blocks_lost);
            subnet::prefix_for(blocks.saturating_mul(pods::STATIC_BLOCK_ADDRESSES))
                .map(|len| len.min(pods::STATIC_BLOCK))
        } else {
            subnet::subnet_for(need)
        }
    });
    let mut row = Row {
        answer: AddressPool {
            pool: reference.to_string(),
            object: format!("{}.prefix", reference.path()),
            ..blank(kind, &prefixes)
        },
        users,
        tenants,
        subnet: Some(reference),
        needs,
        others,
        prefixes,
    };
    row.answer.usable = known(&row.prefixes, usable);
    answer(&mut row, limits, smallest);
    row
}

fn pod_cidr_row<'a>(
    design: &Design,
    limits: &Limits,
    name: &'a ClusterName,
    cluster: &'a Cluster,
    users: Vec<User<'a>>,
) -> Row<'a> {
    let prefixes = ipv4(&cluster.pod_cidrs);
    // Nodes of no pool have a block each as well.
    let provisioned = u64::try_from(demand::provisioned(cluster).count()).unwrap_or(u64::MAX);
    let tenants: Vec<Tenant> = (provisioned > 0 && cluster.mode != Some(Mode::Byo))
        .then(|| Tenant {
            what: format!("{} that node auto-provisioning made", many(provisioned, "node", "nodes")),
            addresses: Count::exact(provisioned.saturating_mul(demand::BLOCK)),
            object: format!("clusters.{name}.nodes"),
            competes: false,
        })
        .into_iter()
        .collect();
    let others: Count = tenants.iter().map(|tenant| tenant.addresses).sum();
    let needs = needs::of(design, &users, others);
    let smallest = needs.upgrade.value().and_then(|need| pods::pod_cidr_for(need.div_ceil(demand::BLOCK)));
    let mut row = Row {
        answer: AddressPool {
            pool: format!("{name}/podCidr"),
            object: format!("clusters.{name}.podCidr"),
            ..blank(PoolKind::PodCidr, &prefixes)
        },
        users,
        tenants,
        subnet: None,
        needs,
        others,
        prefixes,
    };
    let blocks = cluster.mode != Some(Mode::Byo);
    row.answer.usable = known(&row.prefixes, |prefix| {
        if blocks { pods::node_blocks(prefix.prefix_len()).saturating_mul(demand::BLOCK) } else { size(prefix) }
    });
    answer(&mut row, limits, smallest);
    row
}

/// A row that says nothing yet but what it is about.
pub(crate) fn blank(kind: PoolKind, prefixes: &[Cidr]) -> AddressPool {
    let text: Vec<String> = prefixes.iter().map(Cidr::to_string).collect();
    AddressPool {
        pool: String::new(),
        kind,
        object: String::new(),
        prefix: (!text.is_empty()).then(|| text.join(", ")),
        total: known(prefixes, size),
        usable: None,
        now: None,
        at_max: None,
        during_upgrade: None,
        after_growth: None,
        after_node_loss: None,
        after_zone_loss: None,
        fits: None,
        short_by: None,
        smallest_prefix: None,
        because: Vec::new(),
    }
}

/// The sum over prefixes; unknown without any.
pub(crate) fn known(prefixes: &[Cidr], part: impl Fn(&Cidr) -> u64) -> Option<u64> {
    (!prefixes.is_empty()).then(|| prefixes.iter().map(part).fold(0, u64::saturating_add))
}

/// Addresses of a prefix.
pub(crate) fn size(prefix: &Cidr) -> u64 {
    u64::try_from(prefix.size()).unwrap_or(u64::MAX)
}

/// Fills in what follows from the needs.
fn answer(row: &mut Row, limits: &Limits, smallest: Option<u8>) {
    let losses = losses::of(row);
    let needs = row.needs;
    let usable = row.answer.usable;
    let mut fits = needs.upgrade.within(usable);
    if fits == Some(true) && row.has_windows_nodes() && !fits_with_reserve(row, limits) {
        fits = None;
    }
    let answer = &mut row.answer;
    answer.now = needs.now.value();
    answer.at_max = needs.at_max.value();
    answer.during_upgrade = needs.upgrade.value();
    answer.after_growth = needs.growth.and_then(Count::value);
    answer.after_node_loss = losses.node.value();
    answer.after_zone_loss = losses.zone.value();
    answer.fits = fits;
    answer.short_by = match (fits, usable) {
        (Some(true), _) => Some(0),
        // Where a part is unknown, so is how much is missing.
        (Some(false), Some(usable)) => needs.upgrade.value().map(|need| need.saturating_sub(usable)),
        _ => None,
    };
    answer.smallest_prefix = smallest;
}

/// Whether the reserve for Windows nodes would fit too (`unk.windows-reserved`).
fn fits_with_reserve(row: &Row, limits: &Limits) -> bool {
    let reserve: Count = row
        .users
        .iter()
        .filter(|user| user.role == Role::Nodes && user.pool.os == Os::Windows)
        .map(|user| {
            user.held(Phase::Upgrade).map(|held| held.saturating_mul(limits.windows_reserved_percent).div_ceil(100))
        })
        .sum();
    (row.needs.upgrade + reserve).within(row.answer.usable) == Some(true)
}

/// Which of a cluster's ranges ends its growth first, where nodes cost one address here and one block there.
fn bounds(rows: &mut [Row]) {
    let mut subnets: BTreeMap<&ClusterName, BTreeSet<usize>> = BTreeMap::new();
    for (at, row) in rows.iter().enumerate() {
        if row.subnet.is_some() {
            for user in &row.users {
                subnets.entry(user.cluster_name).or_default().insert(at);
            }
        }
    }
    let mut lines = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        let (PoolKind::PodCidr, Some(first), Some(usable)) = (row.answer.kind, row.users.first(), row.usable()) else {
            continue;
        };
        let Some(found) = subnets.get(first.cluster_name) else {
            continue;
        };
        let (Some(other_at), 1) = (found.first().copied(), found.len()) else {
            continue;
        };
        let Some(other) = rows.get(other_at) else {
            continue;
        };
        // The same pools here and there, and nobody else's.
        let alone = other.users.len() == row.users.len()
            && other.users.iter().all(|user| user.cluster_name == first.cluster_name);
        let simple = row.costliest_node() == Count::exact(demand::BLOCK)
            && other.costliest_node() == Count::exact(subnet::per_node());
        let (true, Some(room), Some(others)) = (alone && simple, other.usable(), other.others.value()) else {
            continue;
        };
        let blocks = usable / demand::BLOCK;
        let nodes = room.saturating_sub(others);
        let binding = if blocks < nodes { "the pod range" } else { "the node subnet" };
        let line = format!(
            "{binding} bounds the cluster: the pod range carries {blocks} nodes, the node subnet {nodes}, surge counted in"
        );
        lines.push((at, line.clone()));
        lines.push((other_at, line));
    }
    for (at, line) in lines {
        if let Some(row) = rows.get_mut(at) {
            row.answer.because.push(line);
        }
    }
}
