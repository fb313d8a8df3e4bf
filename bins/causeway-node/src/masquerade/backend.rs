//! Chooses what holds the rules.

use super::kernel::Kernel;
use super::nft::Nft;
use super::options::{Backend, Options};

/// What was chosen, and why, in one sentence.
pub(crate) struct Opened {
    /// It.
    pub(crate) kernel: Box<dyn Kernel>,
    /// Why.
    pub(crate) because: String,
}

/// Opens the back end that was asked for, or the one that fits.
///
/// # Errors
/// In words: what was asked for is not to be had here.
pub(crate) fn open(options: &Options) -> Result<Opened, String> {
    let nft = Nft::open(&options.flags.masq_chain).map_err(|error| format!("nf_tables is not to be had here: {error}"));
    match options.backend {
        Backend::Nft => Ok(Opened { kernel: Box::new(nft?), because: "back end nft: it was asked for".to_owned() }),
        Backend::Iptables => Err("iptables is not built yet".to_owned()),
        Backend::Auto => Ok(Opened {
            kernel: Box::new(nft?),
            because:
                "back end nft: this kernel has nf_tables, whose rules stand beside those of iptables, nft or legacy"
                    .to_owned(),
        }),
    }
}
