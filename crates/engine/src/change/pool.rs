//! Settings of a pool that only a new pool can have.

use super::Pair;
use causeway_model::codes;
use causeway_model::facts::address;
use causeway_model::finding::Finding;

pub(super) fn pools(pair: &Pair, out: &mut Vec<Finding>) {
    for (name, new) in &pair.new.pools {
        let Some(old) = pair.old.pools.get(name) else { continue };
        let path = format!("{}.pools.{name}", pair.path);
        let mut fixed = |field: &str, from: String, to: String| {
            if from != to {
                out.push(
                    Finding::new(
                        codes::MIGRATION_BLOCKED,
                        format!("{path}.{field}"),
                        format!("`{field}` of a pool can't change from `{from}` to `{to}`"),
                    )
                    .help("add a new pool with the new value, move the workloads, delete the old pool")
                    .on(from)
                    .on(to)
                    .since(address::CHANGEABLE_LATER.as_of),
                );
            }
        };
        let shown = |value: &Option<u32>| value.map_or_else(|| "not stated".to_owned(), |value| value.to_string());
        if old.max_pods.is_some() && new.max_pods.is_some() {
            fixed("maxPods", shown(&old.max_pods), shown(&new.max_pods));
        }
        if let (Some(from), Some(to)) = (&old.subnet, &new.subnet) {
            fixed("subnet", from.to_string(), to.to_string());
        }
        if let (Some(from), Some(to)) = (&old.pod_subnet, &new.pod_subnet) {
            fixed("podSubnet", from.to_string(), to.to_string());
        }
        if old.os != new.os {
            fixed("os", old.os.to_string(), new.os.to_string());
        }
    }
}
