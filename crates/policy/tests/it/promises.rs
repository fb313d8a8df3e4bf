//! What the room promises for any text at all. Checked here over random changes to clusters, and by the fuzz target `policy`.

use causeway_model::design::Protocol;
use causeway_model::policy::Direction;
use causeway_policy::{End, Engine, Flow, Matrix, Verdict, connections, exposure, world};
use causeway_read::files::MemoryFiles;
use causeway_read::kind::Kind;
use causeway_read::{Input, load};

/// Ends that are asked about.
const MOST: usize = 6;

/// Reads the bytes as Kubernetes objects, if they are, and asks every engine about them; panics if a promise is broken: the fast answer
/// is the explained one, one way and both ways, in the matrix too; what is uncertain names what is missing; and lists can be made.
pub(crate) fn of_asking(bytes: &[u8]) {
    let input = Input { name: "objects".to_owned(), bytes: bytes.to_vec(), kind: Some(Kind::Kubernetes), found: false };
    let Ok(read) = load(vec![input], &MemoryFiles::default()).outcome else { return };
    let design = read.design;
    for cluster in design.clusters.values() {
        for (_, engine) in Engine::WORDS {
            let index = world::index(&design, cluster, engine);
            let mut ends: Vec<End> = index.pods().take(MOST).chain(index.nodes().take(1)).collect();
            let matrix = Matrix::of(&index, &ends, Protocol::Tcp, 80, None);
            let known: Vec<End> = matrix.ends().cloned().collect();
            ends.extend(["203.0.113.9", "10.2.0.200", "fd02::1"].map(|text| End::Address(text.parse().unwrap())));
            for from in &ends {
                for to in &ends {
                    let (protocol, port) = (Protocol::Tcp, 80);
                    let flow = Flow { from: from.clone(), to: to.clone(), protocol, port, family: None };
                    let (explained, verdict) = (index.explain(&flow), index.verdict(&flow));
                    assert_eq!(explained.as_ref().map(|explained| explained.verdict()), verdict, "{engine}: {flow:?}");
                    let Some(explained) = explained else { continue };
                    let both = Direction::ALL.map(|direction| explained.of(direction));
                    assert_eq!(Some(both[0].and(both[1])), verdict);
                    if verdict == Some(Verdict::Uncertain) {
                        assert!(!explained.missing.is_empty(), "{engine}: {flow:?}: {explained:#?}");
                    }
                    let place = |end: &End| known.iter().position(|known| known == end);
                    if let (Some(from), Some(to)) = (place(from), place(to)) {
                        assert_eq!(Some(matrix.verdict(from, to)), verdict, "{engine}: {flow:?}: {explained:#?}");
                    }
                }
            }
            connections(&index, None);
            exposure(&index, None);
        }
    }
}
