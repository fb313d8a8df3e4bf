//! What holds for every text somebody takes for the output of iptables-save. Shared with the fuzz target of the same name.

use causeway_addr::Family;
use causeway_dataplane::iptables::{CHAIN, POSTROUTING, Saved, TABLE, parse, plan, remove, wanted};
use causeway_dataplane::masquerade::Settings;

/// Prints tables as iptables-save does.
pub(crate) fn print(saved: &Saved) -> String {
    let mut text = String::new();
    for (name, table) in &saved.tables {
        text.push_str(&format!("*{name}\n"));
        for (name, chain) in &table.chains {
            text.push_str(&format!(":{name} {} [0:0]\n", chain.policy.as_deref().unwrap_or("-")));
        }
        for (name, chain) in &table.chains {
            for rule in &chain.rules {
                text.push_str(&format!("-A {name} {rule}\n"));
            }
        }
        text.push_str("COMMIT\n");
    }
    text
}

/// Does what iptables-restore --noflush does with a text of ours: all of it or nothing.
pub(crate) fn restore(saved: &Saved, text: &str) -> Result<Saved, String> {
    let mut next = saved.clone();
    let table = next.tables.entry(TABLE.to_owned()).or_default();
    let mut lines = text.lines();
    if lines.next() != Some("*nat") || lines.next_back() != Some("COMMIT") {
        return Err("no table around it".to_owned());
    }
    for line in lines {
        let (command, rest) = line.split_once(' ').unwrap_or((line, ""));
        if let Some(name) = command.strip_prefix(':') {
            let chain = table.chains.entry(name.to_owned()).or_default();
            chain.rules.clear();
            continue;
        }
        let (name, words) = rest.split_once(' ').unwrap_or((rest, ""));
        let chain = table.chains.get_mut(name).ok_or(format!("no chain {name}"))?;
        match command {
            "-A" | "-D" => {
                // The words are read as iptables-save's are.
                let read = parse(&format!("*t\n:c -\n-A c {words}\nCOMMIT\n")).map_err(|error| error.to_string())?;
                let rule = read.chain("t", "c").and_then(|chain| chain.rules.first().cloned()).ok_or("no rule")?;
                if command == "-A" {
                    chain.rules.push(rule);
                } else {
                    let at = chain.rules.iter().position(|found| *found == rule).ok_or(format!("no rule {words}"))?;
                    chain.rules.remove(at);
                }
            }
            "-F" => chain.rules.clear(),
            "-X" => {
                if !chain.rules.is_empty() || chain.policy.is_some() {
                    return Err(format!("{name} is not empty"));
                }
                let leads = |words: &[String]| words.iter().any(|word| word == name);
                let used = table.chains.values().flat_map(|chain| &chain.rules).any(|rule| leads(&rule.arguments));
                if used {
                    return Err(format!("{name} is used"));
                }
                table.chains.remove(name);
            }
            other => return Err(format!("command {other}")),
        }
    }
    Ok(next)
}

/// Any text is read or refused; what was read prints as what it was; and the way from it leads where it should.
pub(crate) fn of_text(text: &str) {
    let Ok(saved) = parse(text) else { return };
    let again = parse(&print(&saved));
    assert_eq!(again.map(|again| again.tables), Ok(saved.tables.clone()), "printing and reading is no change");
    let kernels = saved.chain(TABLE, CHAIN).is_some_and(|chain| chain.policy.is_some());
    if kernels || saved.chain(TABLE, POSTROUTING).is_none() {
        return;
    }
    let wish = wanted(&Settings { random_fully: false, ..Settings::default() }, Family::V4, CHAIN);
    let first = plan(&wish, &saved);
    assert_eq!(first.restore.is_some(), !first.drift.is_empty());
    if let Some(after) = first.restore.as_deref().and_then(|text| restore(&saved, text).ok()) {
        assert_eq!(plan(&wish, &after).restore, None, "the second time there is nothing to do");
        let gone = remove(&after, CHAIN).and_then(|text| restore(&after, &text).ok());
        if let Some(gone) = gone {
            let jumps = gone.chain(TABLE, POSTROUTING).map(|chain| {
                chain.rules.iter().filter(|rule| rule.arguments.windows(2).any(|pair| pair == ["-j", CHAIN])).count()
            });
            assert_eq!(jumps, Some(0), "removal takes every jump");
        }
    }
}
