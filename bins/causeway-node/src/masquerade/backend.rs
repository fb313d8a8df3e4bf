//! Chooses what holds the rules.

use super::iptables::Chain;
use super::kernel::{Failure, Kernel, Preview, Synced};
use super::nft::Nft;
use super::options::{Backend, Options};
use causeway_addr::Family;
use causeway_dataplane::masquerade::{Compiled, Settings};
use causeway_dataplane::nftables::{Growth, text};
use causeway_linux::iptables::detect;

/// What was chosen, and why, in one sentence.
pub(crate) struct Opened {
    /// It.
    pub(crate) kernel: Box<dyn Kernel>,
    /// Why.
    pub(crate) because: String,
}

/// Opens the back end that was asked for, or the one that fits. `auto` takes nf_tables wherever the kernel has it: its rules stand beside
/// those of any other program, and need no program on the node. iptables is for people who want to see the chain, and for kernels
/// without nf_tables.
///
/// # Errors
/// In words: what was asked for is not to be had here.
pub(crate) fn open(options: &Options) -> Result<Opened, String> {
    let chain = &options.flags.masq_chain;
    let nft = || Nft::open(chain).map_err(|error| format!("nf_tables is not to be had here: {error}"));
    match options.backend {
        Backend::Nft => Ok(Opened { kernel: Box::new(nft()?), because: "back end nft: it was asked for".to_owned() }),
        Backend::Iptables => iptables(chain, "it was asked for"),
        Backend::Auto => match nft() {
            Ok(nft) => Ok(Opened {
                kernel: Box::new(nft),
                because: "back end nft: this kernel has nf_tables, and a table of our own gets along with every variant of iptables"
                    .to_owned(),
            }),
            Err(why) => iptables(chain, &why).map_err(|other| format!("{why}; {other}")),
        },
    }
}

fn iptables(chain: &str, because: &str) -> Result<Opened, String> {
    let detected = detect(Family::V4).ok_or("there is no `iptables-restore`; the image with iptables has one")?;
    let kernel = Box::new(Chain::open(chain, detected.variant())?);
    let because = format!("back end {}: {because}; the variant: {detected}", kernel.name());
    Ok(Opened { kernel, because })
}

/// Stands for a kernel that is out of reach: what would be done can still be shown.
pub(crate) struct OutOfReach(pub(crate) String);

impl OutOfReach {
    fn failure<T>(&self) -> Result<T, Failure> {
        Err(Failure::Other(self.0.clone()))
    }
}

impl Kernel for OutOfReach {
    fn name(&self) -> &'static str {
        "none"
    }

    fn has_rules(&mut self) -> Result<bool, Failure> {
        self.failure()
    }

    fn sync(&mut self, _: &Settings) -> Result<Synced, Failure> {
        self.failure()
    }

    fn preview(&mut self, settings: &Settings) -> Preview {
        let wanted = Compiled::new(settings.clone(), Growth::default());
        Preview { rules: text::tables(wanted.objects()), changes: self.failure() }
    }

    fn clean(&mut self) -> Result<bool, Failure> {
        self.failure()
    }
}
