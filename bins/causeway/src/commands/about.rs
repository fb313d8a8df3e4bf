//! What the program says about itself: schema, completions, manual pages.

use crate::cli::Cli;
use crate::{Exit, output};
use clap::CommandFactory as _;

pub(crate) fn schema() -> Result<Exit, clap::Error> {
    let schema = causeway_read::document::json_schema();
    Ok(output::plain(format!("{schema:#}\n").as_bytes()))
}

pub(crate) fn completions(shell: clap_complete::Shell) -> Result<Exit, clap::Error> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "causeway", &mut script);
    Ok(output::plain(&script))
}

pub(crate) fn man(name: Option<&str>) -> Result<Exit, clap::Error> {
    let mut whole = Cli::command();
    whole.build();
    let command = match name {
        None => whole,
        Some(name) => {
            let known: Vec<String> = whole.get_subcommands().map(|known| known.get_name().to_owned()).collect();
            let found = whole.find_subcommand(name).cloned();
            let message = || format!("there is no command `{name}`; known are {}", known.join(", "));
            found
                .map(|found| found.display_name(format!("causeway-{name}")))
                .ok_or_else(|| output::wrong(&message()))?
        }
    };
    let mut page = Vec::new();
    match clap_mangen::Man::new(command).render(&mut page) {
        Ok(()) => Ok(output::plain(&page)),
        Err(error) => Err(output::wrong(&error.to_string())),
    }
}
