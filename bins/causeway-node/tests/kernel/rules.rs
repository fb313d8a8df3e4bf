//! Puts rules into the node of a lab: ours, and those of the agent we replace.

use causeway_addr::Family;
use causeway_dataplane::iptables::{CHAIN, parse, plan as iptables_plan, remove, wanted as chain};
use causeway_dataplane::masquerade::{Settings, compile, tables};
use causeway_dataplane::nftables::objects::{Op, TableObjects};
use causeway_dataplane::nftables::{Growth, Limits, lower, plan};
use causeway_dataplane::ruleset::TableId;
use causeway_linux::iptables::{Iptables, IptablesError, IptablesFailure, Restore, Variant};
use causeway_linux::nftables::{Connection, Generation};
use causeway_testkit::lab::Lab;
use causeway_testkit::trial::CannotProve;
use std::collections::BTreeMap;

/// What the kernel should hold for some settings.
pub(crate) fn wanted(settings: &Settings) -> BTreeMap<TableId, TableObjects> {
    lower(&compile(settings), Growth::default())
}

/// nf_tables of the lab's node.
pub(crate) struct Nft(pub(crate) Connection);

impl Nft {
    pub(crate) fn open(lab: &Lab) -> Nft {
        Nft(lab.on_node(Connection::open).unwrap().unwrap())
    }

    /// The way from what is there to the rules of some settings.
    pub(crate) fn batches(&mut self, settings: &Settings) -> (Vec<Vec<Op>>, Generation) {
        let reading = self.0.read(&tables()).unwrap();
        let limits = Limits { batch_bytes: self.0.batch_limit() / 2 };
        (plan(&wanted(settings), &reading.tables, &limits).batches, reading.generation)
    }

    pub(crate) fn load(&mut self, settings: &Settings) {
        let (batches, _) = self.batches(settings);
        for batch in batches {
            self.0.apply(&batch, None).unwrap();
        }
        assert!(self.batches(settings).0.is_empty(), "what was loaded is what was wanted");
    }
}

/// How the agent before us spelt the comment of its jump.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spelling {
    /// ip-masq-agent-v2: with quotes in it.
    Quoted,
    /// ip-masq-agent of kubernetes-sigs.
    Plain,
}

/// The original agent's rules as text for `iptables-restore`, from the description of its behaviour, not from our compiler: the jump as
/// it would stand after other rules, and its chain.
pub(crate) fn original(settings: &Settings, family: Family, spelling: Spelling) -> String {
    let quote = match spelling {
        Spelling::Quoted => "\\\"",
        Spelling::Plain => "",
    };
    let jump = format!(
        "{quote}ip-masq-agent: ensure nat POSTROUTING directs all non-LOCAL destination traffic to our custom {CHAIN} chain{quote}"
    );
    let local = "ip-masq-agent: local traffic is not subject to MASQUERADE";
    let last = "ip-masq-agent: outbound traffic is subject to MASQUERADE (must be last in chain)";
    let (range, translated) = match family {
        Family::V4 => ("169.254.0.0/16", settings.config.link_local),
        Family::V6 => ("fe80::/10", settings.config.link_local_v6),
    };
    let mut text = format!("*nat\n:{CHAIN} - [0:0]\n");
    text += &format!("-A POSTROUTING -m comment --comment \"{jump}\" -m addrtype ! --dst-type LOCAL -j {CHAIN}\n");
    let exempt = settings.config.exempt.iter().filter(|cidr| cidr.family() == family).map(ToString::to_string);
    for range in (!translated).then(|| range.to_owned()).into_iter().chain(exempt) {
        text += &format!("-A {CHAIN} -d {range} -m comment --comment \"{local}\" -j RETURN\n");
    }
    text += &format!("-A {CHAIN} -m comment --comment \"{last}\" -j MASQUERADE\nCOMMIT\n");
    text
}

/// The programs of a variant for a family.
pub(crate) fn iptables(family: Family, variant: Variant) -> Result<Iptables, CannotProve> {
    Iptables::find(family, variant).map_err(|error| CannotProve(error.to_string()))
}

/// Empties table nat and fills it with a text.
pub(crate) fn replace(lab: &Lab, program: &Iptables, text: &str) -> Result<(), CannotProve> {
    restore(lab, program, text, Restore { flush: true, ..Restore::default() })
}

/// Adds a text to table nat.
pub(crate) fn add(lab: &Lab, program: &Iptables, text: &str) -> Result<(), CannotProve> {
    restore(lab, program, text, Restore::default())
}

fn restore(lab: &Lab, program: &Iptables, text: &str, how: Restore) -> Result<(), CannotProve> {
    match lab.on_node(|| program.restore(text, how)).unwrap() {
        Ok(()) => Ok(()),
        Err(error) if no_such_table(&error) => Err(CannotProve(error.to_string())),
        Err(error) => panic!("{error}\n{text}"),
    }
}

/// A kernel without the tables of x_tables.
fn no_such_table(error: &IptablesError) -> bool {
    let IptablesFailure::Rejected { message, .. } = &error.failure else { return false };
    message.contains("Table does not exist") || message.contains("can't initialize")
}

/// Makes the chain of our iptables back end what it should be for both families, as the agent does it: read, plan, restore.
pub(crate) fn load_chain(lab: &Lab, variant: Variant, settings: &Settings) -> Result<(), CannotProve> {
    for family in Family::ALL {
        let program = iptables(family, variant)?;
        if let Some(text) = chain_change(lab, &program, settings) {
            add(lab, &program, &text)?;
            assert_eq!(chain_change(lab, &program, settings), None, "what was loaded is what was wanted");
        }
    }
    Ok(())
}

/// What the iptables back end would do now.
fn chain_change(lab: &Lab, program: &Iptables, settings: &Settings) -> Option<String> {
    let observed = parse(&saved(lab, program)).unwrap();
    if settings.families().any(|family| family == program.family) {
        iptables_plan(&chain(settings, program.family, CHAIN), &observed).restore
    } else {
        remove(&observed, CHAIN)
    }
}

/// The rules of table nat as a program shows them.
pub(crate) fn saved(lab: &Lab, program: &Iptables) -> String {
    lab.on_node(|| program.save("nat")).unwrap().unwrap()
}
