//! From text to the model.

use causeway_model::design::Design;
use causeway_read::files::MemoryFiles;
use causeway_read::{Input, load};

/// What one design file means.
pub(crate) fn design(text: &str) -> Design {
    designs(&[text])
}

/// What several design files mean together.
pub(crate) fn designs<T: AsRef<str>>(texts: &[T]) -> Design {
    let input = |(at, text): (usize, &T)| Input {
        name: format!("design{at}.yaml"),
        bytes: text.as_ref().as_bytes().to_vec(),
        kind: None,
        found: false,
    };
    match load(texts.iter().enumerate().map(input).collect(), &MemoryFiles::default()).outcome {
        Ok(read) => read.design,
        Err(errors) => {
            let texts: Vec<&str> = texts.iter().map(AsRef::as_ref).collect();
            panic!("{errors:#?}\n{}", texts.join("\n"))
        }
    }
}
