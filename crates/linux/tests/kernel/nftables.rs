//! Writing and reading back.

use crate::Test;
use crate::fixture::{creation, everything, keys4, nat_postrouting, rule, table};
use causeway_dataplane::nftables::objects::{
    Count, Expression, KeyType, Keys, MAP, Op, SetObject, TableObjects, numbered_chain,
};
use causeway_dataplane::ruleset::{TableFamily, TableId};
use causeway_linux::netlink::Error;
use causeway_linux::nftables::{ApplyError, Connection, FLAG_STRANGE_ELEMENTS, encoded_size};
use causeway_testkit::oracle::Oracle;
use causeway_testkit::trial::CannotProve;
use nix::errno::Errno;
use std::process::{Command, ExitCode};

pub(crate) const TESTS: &[Test] = &[
    ("nftables::what_is_written_is_read_back", written_is_read_back),
    ("nftables::the_same_in_a_table_of_IPv6_and_of_both", other_families),
    ("nftables::nothing_to_change_writes_nothing", nothing_writes_nothing),
    ("nftables::one_wrong_change_undoes_all", one_wrong_change_undoes_all),
    ("nftables::a_stale_generation_is_refused", stale),
    ("nftables::without_privilege_it_is_a_refusal", without_privilege),
    ("nftables::net_admin_is_enough", net_admin_suffices),
    ("nftables::keys_of_one_change_go_in_several_messages", many_keys),
    ("nftables::a_batch_larger_than_the_send_buffer_is_refused_before_it_is_sent", too_large),
    ("nftables::names_and_comments_that_do_not_fit_are_named", unwritable),
    ("nftables::a_single_rule_is_deleted_by_its_handle", by_handle),
    ("nftables::a_missing_table_is_none_a_missing_chain_is_left_out", missing),
    ("nftables::a_dormant_table_shows_and_wakes_when_it_is_made_again", dormant),
    ("nftables::an_element_that_is_not_a_key_shows", strange_element),
    ("nftables::a_key_of_a_map_gets_another_chain_in_one_batch", another_chain),
    ("nftables::base_chains_are_found", base_chains),
];

fn written_is_read_back() -> Result<(), CannotProve> {
    let mut connection = Connection::open().expect("open");
    let id = table();
    let objects = everything(TableFamily::Ip);
    let before = connection.generation().expect("generation");
    connection.apply(&creation(&id, &objects), Some(before)).expect("apply");
    let reading = connection.read(std::slice::from_ref(&id)).expect("read");
    assert!(reading.generation > before);
    let observed = &reading.tables[&id];
    assert_eq!(observed.objects, objects);
    assert_eq!(observed.counts["exempt"], Count::default());
    assert_eq!(
        observed.handles.keys().collect::<Vec<_>>(),
        ["again", "count", "postrouting", "to-00000007", "translate"]
    );
    assert_eq!(observed.handles["postrouting"].len(), 3);
    assert_eq!(connection.tables().expect("tables"), std::slice::from_ref(&id));
    assert_eq!(connection.counts(&id).expect("counts"), observed.counts);

    let chains = connection.read_chains(&id, &["translate", "nowhere"]).expect("read").expect("table");
    assert_eq!(chains.objects.chains.len(), 1);
    assert_eq!(chains.objects.chains["translate"], objects.chains["translate"]);
    assert!(chains.objects.sets.is_empty());
    let bare = connection.read_table_without_keys(&id).expect("read").expect("table");
    assert_eq!(bare.objects.chains, objects.chains);
    assert_eq!(bare.objects.sets["exempt-31"].elements, Keys::default());

    connection.apply(&[Op::DeleteTable(id.clone())], None).expect("delete");
    assert_eq!(connection.tables().expect("tables"), []);
    Ok(())
}

fn other_families() -> Result<(), CannotProve> {
    let mut connection = Connection::open().expect("open");
    for family in [TableFamily::Ip6, TableFamily::Inet] {
        let id = TableId { family, ..table() };
        let objects = everything(family);
        connection.apply(&creation(&id, &objects), None).expect("apply");
        assert_eq!(connection.read_table(&id).expect("read").expect("table").objects, objects, "{id}");
    }
    assert_eq!(
        connection.read_table(&table()).expect("read"),
        None,
        "the same name in another family is another table"
    );
    assert_eq!(connection.tables().expect("tables").len(), 2);
    Ok(())
}

fn nothing_writes_nothing() -> Result<(), CannotProve> {
    let mut connection = Connection::open().expect("open");
    let before = connection.generation().expect("generation");
    connection.apply(&[], Some(before)).expect("apply");
    let nothing = Op::AddElements { table: table(), set: "none".into(), keys: Keys::default() };
    connection.apply(&[nothing], Some(before)).expect("apply");
    assert_eq!(connection.generation().expect("generation"), before);
    Ok(())
}

fn one_wrong_change_undoes_all() -> Result<(), CannotProve> {
    let mut connection = Connection::open().expect("open");
    let id = table();
    let nowhere = |table: &TableId| Op::DeleteSet { table: table.clone(), name: "nowhere".into() };
    let chain = Op::AddChain { table: id.clone(), name: "c".into(), base: None };
    let error = connection
        .apply(&[Op::AddTable(id.clone()), nowhere(&id), chain.clone(), nowhere(&id)], None)
        .expect_err("must fail");
    let ApplyError::Rejected { rejections } = &error else { panic!("{error:?}") };
    assert_eq!(
        rejections.iter().map(|rejection| (rejection.op, rejection.errno)).collect::<Vec<_>>(),
        [(Some(1), Errno::ENOENT), (Some(3), Errno::ENOENT)]
    );
    assert_eq!(error.to_string(), "the kernel answered ENOENT: No such file or directory to change 1 (and 1 more)");
    assert_eq!(connection.tables().expect("tables"), []);
    // The answers to what failed don't meet the next request.
    connection.apply(&[Op::AddTable(id.clone()), chain], None).expect("apply");
    assert_eq!(connection.tables().expect("tables"), std::slice::from_ref(&id));
    // An expression the kernel doesn't have, where it has something to say.
    let strange = Expression::Other { name: "xyzzy".into(), extension: String::new(), data: vec![] };
    let wrong = Op::AddRule { table: id.clone(), chain: "c".into(), rule: rule(vec![strange], "") };
    let error = connection.apply(&[wrong], None).expect_err("must fail");
    assert!(matches!(&error, ApplyError::Rejected { rejections } if rejections[0].op == Some(0)), "{error:?}");
    Ok(())
}

fn stale() -> Result<(), CannotProve> {
    let mut connection = Connection::open().expect("open");
    let before = connection.generation().expect("generation");
    connection.apply(&[Op::AddTable(table())], Some(before)).expect("apply");
    let other = TableId { name: "other".into(), ..table() };
    assert_eq!(connection.apply(&[Op::AddTable(other.clone())], Some(before)), Err(ApplyError::Stale));
    assert_eq!(connection.tables().expect("tables"), [table()]);
    let now = connection.generation().expect("generation");
    connection.apply(&[Op::AddTable(other)], Some(now)).expect("apply");
    Ok(())
}

pub(crate) const CHILD_WITHOUT_PRIVILEGE: &str = "--child-without-privilege";
pub(crate) const CHILD_WITH_NET_ADMIN: &str = "--child-with-net-admin";

/// Everything an agent does, by a process that may administer networks and nothing else.
pub(crate) fn child_with_net_admin() -> ExitCode {
    let capabilities = std::fs::read_to_string("/proc/self/status").expect("status");
    // CAP_NET_ADMIN is number 12.
    assert!(capabilities.contains("CapEff:\t0000000000001000\n"), "{capabilities}");
    let mut connection = Connection::open().expect("open");
    let mut listener = causeway_linux::nftables::Listener::open().expect("listen");
    let generation = connection.generation().expect("generation");
    connection.apply(&creation(&table(), &everything(TableFamily::Ip)), Some(generation)).expect("apply");
    assert_eq!(connection.read_table(&table()).expect("read").expect("table").objects, everything(TableFamily::Ip));
    assert_eq!(listener.drain().expect("drain").len(), 1);
    causeway_linux::conntrack::Connection::open().expect("open").statistics().expect("statistics");
    ExitCode::SUCCESS
}

fn net_admin_suffices() -> Result<(), CannotProve> {
    let own = std::env::current_exe().expect("path");
    let own = own.to_str().expect("a path of text");
    Oracle::find("setpriv")?.ask(&["--bounding-set=-all,+net_admin", own, CHILD_WITH_NET_ADMIN]);
    Ok(())
}

/// In a further user namespace, the network namespace is somebody else's.
pub(crate) fn child_without_privilege() -> ExitCode {
    nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWUSER).expect("user namespace");
    let mut connection = Connection::open().expect("open");
    let read = connection.generation().expect_err("must be refused");
    assert!(matches!(read, Error::Refused { .. }), "{read:?}");
    let write = connection.apply(&[Op::AddTable(table())], None).expect_err("must be refused");
    assert!(matches!(write, ApplyError::Refused { .. }), "{write:?}");
    let listen = causeway_linux::nftables::Listener::open().expect_err("must be refused");
    assert!(matches!(listen, Error::Refused { .. }), "{listen:?}");
    let statistics =
        causeway_linux::conntrack::Connection::open().expect("open").statistics().expect_err("must be refused");
    assert!(matches!(statistics, Error::Refused { .. }), "{statistics:?}");
    ExitCode::SUCCESS
}

fn without_privilege() -> Result<(), CannotProve> {
    let status =
        Command::new(std::env::current_exe().expect("path")).arg(CHILD_WITHOUT_PRIVILEGE).status().expect("child");
    assert!(status.success());
    Ok(())
}

fn filled(count: u32, size: Option<u32>) -> Vec<Op> {
    let set = SetObject {
        key: KeyType::IPV4,
        size,
        flags: 0,
        elements: keys4((0..count).map(|number| 0x0a00_0000 + number * 7)),
        leads: false,
    };
    let mut objects = TableObjects::default();
    objects.sets.insert("many".into(), set);
    creation(&table(), &objects)
}

/// The keys of the set `many`. A set that grows by itself is moved to a larger table behind the scenes, and the kernel shows keys twice or not at all
/// meanwhile; that ends by itself, so it is read again until it is as wanted or the tries are used up.
fn keys_of_many(connection: &mut Connection, wanted: &[u8]) -> (Option<u32>, Vec<u8>) {
    let mut tries = 0;
    loop {
        let mut read = connection.read_table(&table()).expect("read").expect("table").objects;
        let set = read.sets.remove("many").expect("the set");
        tries += 1;
        if set.elements.bytes == wanted || set.size.is_some() || tries == 500 {
            return (set.size, set.elements.bytes);
        }
    }
}

fn many_keys() -> Result<(), CannotProve> {
    for (count, size) in [(10_000, None), (10_000, Some(16_384))] {
        let mut connection = Connection::open().expect("open");
        let ops = filled(count, size);
        let [.., Op::AddElements { keys, .. }] = ops.as_slice() else { panic!("no elements") };
        connection.apply(&ops, None).expect("apply");
        assert_eq!(keys_of_many(&mut connection, &keys.bytes), (size, keys.bytes.clone()));
        let (gone, kept) = keys.bytes.split_at(5_000 * 4);
        let delete =
            Op::DeleteElements { table: table(), set: "many".into(), keys: Keys { width: 4, bytes: gone.to_vec() } };
        connection.apply(std::slice::from_ref(&delete), None).expect("delete");
        assert_eq!(keys_of_many(&mut connection, kept), (size, kept.to_vec()));
        let error = connection.apply(&[delete], None).expect_err("they are gone");
        assert!(
            matches!(&error, ApplyError::Rejected { rejections } if rejections[0].op == Some(0) && rejections[0].errno == Errno::ENOENT),
            "{error:?}"
        );
        connection.apply(&[Op::DeleteTable(table())], None).expect("delete");
    }
    Ok(())
}

fn too_large() -> Result<(), CannotProve> {
    let mut connection = Connection::open().expect("open");
    let limit = connection.batch_limit();
    let per_key = causeway_linux::nftables::key_size(4);
    let ops = filled(u32::try_from(limit / per_key + 1).expect("a number"), None);
    let size = encoded_size(&ops).expect("size");
    let now = connection.generation().expect("generation");
    assert_eq!(connection.apply(&ops, Some(now)), Err(ApplyError::TooLarge { size, limit }));
    assert_eq!(connection.tables().expect("tables"), []);
    // The largest that fits does fit: the limit is the kernel's.
    let size = |count: usize| encoded_size(&filled(u32::try_from(count).expect("a number"), None)).expect("size");
    let mut most = limit / per_key - 1_000;
    most += (limit - size(most)) / per_key;
    while size(most) > limit {
        most -= 1;
    }
    connection.apply(&filled(u32::try_from(most).expect("a number"), None), Some(now)).expect("apply");
    Ok(())
}

fn unwritable() -> Result<(), CannotProve> {
    let mut connection = Connection::open().expect("open");
    let long = TableId { name: "x".repeat(256), ..table() };
    let error = connection.apply(&[Op::AddTable(table()), Op::AddTable(long)], None).expect_err("must fail");
    assert!(matches!(error, ApplyError::Invalid { op: 1, .. }), "{error:?}");
    let comment = Op::AddRule { table: table(), chain: "c".into(), rule: rule(vec![], &"y".repeat(128)) };
    assert!(matches!(connection.apply(&[comment], None), Err(ApplyError::Invalid { op: 0, .. })));
    let uneven = Op::AddElements { table: table(), set: "s".into(), keys: Keys { width: 4, bytes: vec![1, 2, 3] } };
    assert!(matches!(connection.apply(&[uneven], None), Err(ApplyError::Invalid { op: 0, .. })));
    let longest = TableId { name: "x".repeat(255), ..table() };
    connection.apply(&[Op::AddTable(longest.clone())], None).expect("255 bytes are allowed");
    assert_eq!(connection.tables().expect("tables"), [longest]);
    Ok(())
}

fn by_handle() -> Result<(), CannotProve> {
    let mut connection = Connection::open().expect("open");
    connection.apply(&creation(&table(), &everything(TableFamily::Ip)), None).expect("apply");
    let before = connection.read_table(&table()).expect("read").expect("table");
    let handle = before.handles["postrouting"][1];
    connection.apply(&[Op::DeleteRule { table: table(), chain: "postrouting".into(), handle }], None).expect("delete");
    connection
        .apply(
            &[
                Op::FlushChain { table: table(), name: "count".into() },
                Op::DeleteChain { table: table(), name: "again".into() },
            ],
            None,
        )
        .expect("flush");
    let after = connection.read_table(&table()).expect("read").expect("table");
    assert_eq!(after.handles["postrouting"], [before.handles["postrouting"][0], before.handles["postrouting"][2]]);
    assert_eq!(after.objects.chains["count"].rules, []);
    assert!(!after.objects.chains.contains_key("again"));
    let busy = connection
        .apply(&[Op::DeleteCounter { table: table(), name: "exempt".into() }], None)
        .expect_err("a rule uses it");
    assert!(matches!(&busy, ApplyError::Rejected { rejections } if rejections[0].errno == Errno::EBUSY), "{busy:?}");
    let ops = [
        Op::FlushChain { table: table(), name: "translate".into() },
        Op::DeleteCounter { table: table(), name: "exempt".into() },
        Op::DeleteSet { table: table(), name: "exempt-31".into() },
    ];
    connection.apply(&ops, None).expect("nothing uses them any more");
    Ok(())
}

fn missing() -> Result<(), CannotProve> {
    let mut connection = Connection::open().expect("open");
    assert_eq!(connection.read_table(&table()).expect("read"), None);
    assert_eq!(connection.read_chains(&table(), &["c"]).expect("read"), None);
    assert!(connection.counts(&table()).expect("counts").is_empty());
    assert!(connection.read(&[table()]).expect("read").tables.is_empty());
    connection.apply(&[Op::AddTable(table())], None).expect("apply");
    assert_eq!(
        connection.read_chains(&table(), &["c"]).expect("read").map(|found| found.objects.chains.len()),
        Some(0)
    );
    Ok(())
}

fn dormant() -> Result<(), CannotProve> {
    let mut connection = Connection::open().expect("open");
    connection.apply(&creation(&table(), &everything(TableFamily::Ip)), None).expect("apply");
    Oracle::find("nft")?.ask(&["add table ip causeway-test { flags dormant; }"]);
    assert_eq!(connection.read_table(&table()).expect("read").expect("table").objects.flags, 1);
    connection.apply(&[Op::AddTable(table())], None).expect("apply");
    assert_eq!(connection.read_table(&table()).expect("read").expect("table").objects, everything(TableFamily::Ip));
    Ok(())
}

fn strange_element() -> Result<(), CannotProve> {
    let mut connection = Connection::open().expect("open");
    connection.apply(&creation(&table(), &everything(TableFamily::Ip)), None).expect("apply");
    Oracle::find("nft")?.ask(&["add element ip causeway-test exempt-31 { * }"]);
    let read = connection.read_table(&table()).expect("read").expect("table").objects;
    assert_eq!(read.sets["exempt-31"].flags, FLAG_STRANGE_ELEMENTS);
    assert_eq!(read.sets["exempt-31"].elements, everything(TableFamily::Ip).sets["exempt-31"].elements);
    Ok(())
}

fn base_chains() -> Result<(), CannotProve> {
    let mut connection = Connection::open().expect("open");
    connection.apply(&creation(&table(), &everything(TableFamily::Ip)), None).expect("apply");
    Oracle::find("nft")?.ask(&[
            "add table bridge b; add chain bridge b c { type filter hook forward priority 0; }; add table ip r; add chain ip r c { type route hook output priority 0; }",
        ],
    );
    let chains = connection.base_chains().expect("chains");
    assert_eq!(
        chains.iter().map(|chain| (chain.table.clone(), chain.name.as_str())).collect::<Vec<_>>(),
        [(table(), "count"), (table(), "postrouting")]
    );
    assert_eq!(chains[1].base, nat_postrouting());
    let other = connection.read_table(&TableId { name: "r".into(), ..table() }).expect("read").expect("table");
    let chain = &other.objects.chains["c"];
    assert_eq!(chain.base, None);
    assert_eq!(chain.foreign_base.as_deref(), Some("type route hook 3 priority 0 policy 1 family 2"));
    Ok(())
}

/// A key of a map is taken out and put in again with another chain, whose turn it is to come and go, all at once; and a key that is
/// there is not put in with another.
fn another_chain() -> Result<(), CannotProve> {
    let key = KeyType::concatenated([KeyType::PROTOCOL, KeyType::PORT]);
    for size in [None, Some(64)] {
        let mut connection = Connection::open().expect("open");
        let pair = |port: u8, value: u8| vec![6, 0, 0, 0, 0, port, 0, 0, 0, 0, 0, value];
        let pairs = |list: &[(u8, u8)]| {
            let bytes: Vec<u8> = list.iter().flat_map(|(port, value)| pair(*port, *value)).collect();
            Keys { width: 12, bytes }
        };
        let map = || "m".to_owned();
        let add = |list: &[(u8, u8)]| Op::AddPairs { table: table(), map: map(), pairs: pairs(list) };
        let delete = |list: &[(u8, u8)]| Op::DeletePairs { table: table(), map: map(), pairs: pairs(list) };
        let made = Op::AddMap { table: table(), name: map(), key, size };
        let chain = |number: u32| Op::AddChain { table: table(), name: numbered_chain(number), base: None };
        let gone = |number: u32| Op::DeleteChain { table: table(), name: numbered_chain(number) };
        let first = [Op::AddTable(table()), chain(1), chain(2), made, add(&[(53, 1), (80, 2)])];
        connection.apply(&first, None).expect("made");
        connection.apply(&[gone(2)], None).expect_err("a key leads there");
        connection.apply(&[delete(&[(80, 2)]), gone(2), chain(3), add(&[(80, 3)])], None).expect("another chain");
        let held = |connection: &mut Connection| {
            connection.read_table(&table()).expect("read").expect("table").objects.sets["m"].clone()
        };
        let found = held(&mut connection);
        assert_eq!(found, SetObject { key, size, flags: MAP, elements: pairs(&[(53, 1), (80, 3)]), leads: true });
        connection.apply(&[add(&[(53, 3)])], None).expect_err("the key is there, with another chain");
        assert_eq!(held(&mut connection), found);
        connection.apply(&[Op::DeleteTable(table())], None).expect("removed");
    }
    Ok(())
}
