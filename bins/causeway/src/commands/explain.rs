//! `causeway explain`.

use crate::cli::ExplainArgs;
use crate::{Exit, output};
use causeway_report::pages;

pub(crate) fn run(args: &ExplainArgs) -> Result<Exit, clap::Error> {
    let Some(code) = args.code else {
        return Ok(output::plain(pages::list().as_bytes()));
    };
    match pages::page(code.as_str()) {
        Some(page) => Ok(output::plain(page.as_bytes())),
        None => Err(output::wrong(&format!("there is no page of `{code}`"))),
    }
}
