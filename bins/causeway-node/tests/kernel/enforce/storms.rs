use causeway_testkit::trial::Trial;
pub(super) fn trials() -> Vec<Trial> {
    Vec::new()
}
