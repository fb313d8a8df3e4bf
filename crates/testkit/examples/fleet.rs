//! Writes a fleet into a folder: `cargo run -p causeway-testkit --example fleet -- FOLDER FACTOR`.
#![expect(clippy::disallowed_methods, reason = "a tool for people, at the rim")]

use causeway_testkit::{Fleet, azure, design};
use std::path::Path;

fn main() -> std::io::Result<()> {
    let mut args = std::env::args().skip(1);
    let folder = args.next().unwrap_or_else(|| "fleet".to_owned());
    let factor = args.next().and_then(|factor| factor.parse().ok()).unwrap_or(1);
    let fleet = Fleet::times(factor);
    let folder = Path::new(&folder);
    std::fs::create_dir_all(folder.join("azure"))?;
    std::fs::write(folder.join("design.yaml"), design(&fleet))?;
    for (name, text) in azure(&fleet) {
        std::fs::write(folder.join("azure").join(name), text)?;
    }
    Ok(())
}
