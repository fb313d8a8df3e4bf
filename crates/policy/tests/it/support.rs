//! From JSON as Kubernetes writes it to an index, the whole way a file goes.

use causeway_model::design::Design;
use causeway_policy::{Engine, Index, world};
use causeway_read::files::MemoryFiles;
use causeway_read::{Input, load};
use serde_json::{Value, json};

/// The design that objects are read as.
pub(crate) fn design(objects: Vec<Value>) -> Design {
    let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
    let input = Input { name: "objects.json".into(), bytes: list.to_string().into(), kind: None, found: false };
    load(vec![input], &MemoryFiles::default()).outcome.expect("the objects are read").design
}

/// The index of the only cluster of a design.
pub(crate) fn index(design: &Design, engine: Engine) -> Index {
    let cluster = design.clusters.values().next().expect("there is a cluster");
    for policy in &cluster.policies {
        let meaning = policy.meaning.as_ref().expect("the policy is understood");
        assert!(meaning.faults.is_empty(), "{}: {:?}", policy.name, meaning.faults);
    }
    world::index(design, cluster, engine)
}

pub(crate) fn namespace(name: &str, labels: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
}
