//! `causeway explain`.

use crate::cli::ExplainArgs;
use crate::{Exit, output};
use causeway_report::pages::{self, Topic};
use causeway_report::questions;
use std::borrow::Cow;

pub(crate) fn run(args: &ExplainArgs) -> Result<Exit, clap::Error> {
    let text = match args.topic {
        None => format!("{}\n{}", pages::list(), questions::list()).into(),
        Some(Topic::Code(code)) => pages::page(code.as_str()).map(Cow::from).unwrap_or_default(),
        Some(Topic::Question(question)) => Cow::from(questions::page(question)),
    };
    Ok(output::plain(text.as_bytes()))
}
