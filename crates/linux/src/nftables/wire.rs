//! Numbers of nf_tables' messages, from linux/netfilter/nf_tables.h and nfnetlink.h (Linux 5.4 to 6.18).

use causeway_dataplane::ruleset::{ChainKind, Hook, Policy, TableFamily, TableId};

/// `NFNL_SUBSYS_NFTABLES` << 8.
const SUBSYSTEM: u16 = 10 << 8;

/// `NFNL_MSG_BATCH_*`.
pub(super) const BATCH_BEGIN: u16 = 0x10;
pub(super) const BATCH_END: u16 = 0x11;
/// The subsystem a batch is for, in `nfgenmsg.res_id`.
pub(super) const SUBSYSTEM_OF_BATCH: u16 = 10;
/// `NFNL_BATCH_GENID`.
pub(super) const BATCH_GENERATION: u16 = 1;

/// `enum nf_tables_msg_types`, as they stand in `nlmsghdr`.
pub(super) mod message {
    use super::SUBSYSTEM;
    pub(in super::super) const NEW_TABLE: u16 = SUBSYSTEM;
    pub(in super::super) const GET_TABLE: u16 = SUBSYSTEM | 1;
    pub(in super::super) const DELETE_TABLE: u16 = SUBSYSTEM | 2;
    pub(in super::super) const NEW_CHAIN: u16 = SUBSYSTEM | 3;
    pub(in super::super) const GET_CHAIN: u16 = SUBSYSTEM | 4;
    pub(in super::super) const DELETE_CHAIN: u16 = SUBSYSTEM | 5;
    pub(in super::super) const NEW_RULE: u16 = SUBSYSTEM | 6;
    pub(in super::super) const GET_RULE: u16 = SUBSYSTEM | 7;
    pub(in super::super) const DELETE_RULE: u16 = SUBSYSTEM | 8;
    pub(in super::super) const NEW_SET: u16 = SUBSYSTEM | 9;
    pub(in super::super) const GET_SET: u16 = SUBSYSTEM | 10;
    pub(in super::super) const DELETE_SET: u16 = SUBSYSTEM | 11;
    pub(in super::super) const NEW_ELEMENTS: u16 = SUBSYSTEM | 12;
    pub(in super::super) const GET_ELEMENTS: u16 = SUBSYSTEM | 13;
    pub(in super::super) const DELETE_ELEMENTS: u16 = SUBSYSTEM | 14;
    pub(in super::super) const NEW_GENERATION: u16 = SUBSYSTEM | 15;
    pub(in super::super) const GET_GENERATION: u16 = SUBSYSTEM | 16;
    pub(in super::super) const NEW_OBJECT: u16 = SUBSYSTEM | 18;
    pub(in super::super) const GET_OBJECT: u16 = SUBSYSTEM | 19;
    pub(in super::super) const DELETE_OBJECT: u16 = SUBSYSTEM | 20;
}

/// `NFTA_*_TABLE`: the table's name is attribute 1 of every message about something in a table, and of the table itself.
pub(super) const TABLE: u16 = 1;

/// `NFTA_LIST_ELEM`, `NFTA_DATA_VALUE`, `NFTA_DATA_VERDICT`.
pub(super) const LIST_ELEMENT: u16 = 1;
pub(super) const DATA_VALUE: u16 = 1;
pub(super) const DATA_VERDICT: u16 = 2;

/// `NFTA_TABLE_*`.
pub(super) mod table {
    pub(in super::super) const FLAGS: u16 = 2;
}

/// `NFTA_CHAIN_*` and `NFTA_HOOK_*`.
pub(super) mod chain {
    pub(in super::super) const NAME: u16 = 3;
    pub(in super::super) const HOOK: u16 = 4;
    pub(in super::super) const POLICY: u16 = 5;
    pub(in super::super) const TYPE: u16 = 7;
    pub(in super::super) const HOOK_NUMBER: u16 = 1;
    pub(in super::super) const HOOK_PRIORITY: u16 = 2;
}

/// `NFTA_RULE_*`.
pub(super) mod rule {
    pub(in super::super) const CHAIN: u16 = 2;
    pub(in super::super) const HANDLE: u16 = 3;
    pub(in super::super) const EXPRESSIONS: u16 = 4;
    pub(in super::super) const USER_DATA: u16 = 7;
}

/// `NFTA_SET_*`, `NFTA_SET_DESC_*`, `NFTA_SET_ELEM_LIST_*`, `NFTA_SET_ELEM_*`.
pub(super) mod set {
    pub(in super::super) const NAME: u16 = 2;
    pub(in super::super) const FLAGS: u16 = 3;
    pub(in super::super) const KEY_TYPE: u16 = 4;
    pub(in super::super) const KEY_LENGTH: u16 = 5;
    pub(in super::super) const DATA_TYPE: u16 = 6;
    /// `NFT_DATA_VERDICT`.
    pub(in super::super) const VERDICTS: u32 = 0xffff_ff00;
    pub(in super::super) const DESCRIPTION: u16 = 9;
    pub(in super::super) const ID: u16 = 10;
    pub(in super::super) const DESCRIPTION_SIZE: u16 = 1;
    pub(in super::super) const LIST_SET: u16 = 2;
    pub(in super::super) const LIST_ELEMENTS: u16 = 3;
    pub(in super::super) const ELEMENT_KEY: u16 = 1;
    pub(in super::super) const ELEMENT_DATA: u16 = 2;
    pub(in super::super) const ELEMENT_FLAGS: u16 = 3;
    pub(in super::super) const ELEMENT_KEY_END: u16 = 10;
}

/// `NFTA_OBJ_*`, `NFTA_COUNTER_*`.
pub(super) mod object {
    pub(in super::super) const NAME: u16 = 2;
    pub(in super::super) const TYPE: u16 = 3;
    pub(in super::super) const DATA: u16 = 4;
    /// `NFT_OBJECT_COUNTER`.
    pub(in super::super) const COUNTER: u32 = 1;
    /// `NFT_OBJECT_LIMIT`, `NFTA_LIMIT_*`, `NFT_LIMIT_PKTS`.
    pub(in super::super) const LIMIT: u32 = 4;
    pub(in super::super) const LIMIT_RATE: u16 = 1;
    pub(in super::super) const LIMIT_UNIT: u16 = 2;
    pub(in super::super) const LIMIT_BURST: u16 = 3;
    pub(in super::super) const LIMIT_TYPE: u16 = 4;
    pub(in super::super) const LIMIT_FLAGS: u16 = 5;
    pub(in super::super) const LIMIT_PACKETS: u32 = 0;
    pub(in super::super) const COUNTER_BYTES: u16 = 1;
    pub(in super::super) const COUNTER_PACKETS: u16 = 2;
}

/// `NFTA_GEN_*`.
pub(super) mod generation {
    pub(in super::super) const ID: u16 = 1;
    pub(in super::super) const PROCESS: u16 = 2;
    pub(in super::super) const PROCESS_NAME: u16 = 3;
}

/// `NFNLGRP_NFTABLES`.
pub(super) const GROUP: u32 = 7;

/// `nfgenmsg`: family, version 0, resource in network byte order.
pub(super) fn header(family: u8, resource: u16) -> [u8; 4] {
    let [high, low] = resource.to_be_bytes();
    [family, 0, high, low]
}

/// `NFPROTO_*` of a table.
pub(super) fn family_number(family: TableFamily) -> u8 {
    match family {
        TableFamily::Inet => 1,
        TableFamily::Ip => 2,
        TableFamily::Ip6 => 10,
    }
}

/// A table's identity, unless it is of a family we have no word for (arp, bridge, netdev).
pub(super) fn table_id(family: u8, name: &[u8]) -> Option<TableId> {
    let family = match family {
        1 => TableFamily::Inet,
        2 => TableFamily::Ip,
        10 => TableFamily::Ip6,
        _ => return None,
    };
    Some(TableId { family, name: String::from_utf8_lossy(name).into_owned() })
}

/// `enum nf_inet_hooks`.
pub(super) fn hook_number(hook: Hook) -> u32 {
    match hook {
        Hook::Prerouting => 0,
        Hook::Input => 1,
        Hook::Forward => 2,
        Hook::Output => 3,
        Hook::Postrouting => 4,
    }
}

pub(super) fn hook(number: u32) -> Option<Hook> {
    Some(match number {
        0 => Hook::Prerouting,
        1 => Hook::Input,
        2 => Hook::Forward,
        3 => Hook::Output,
        4 => Hook::Postrouting,
        _ => return None,
    })
}

pub(super) fn kind_name(kind: ChainKind) -> &'static str {
    match kind {
        ChainKind::Filter => "filter",
        ChainKind::Nat => "nat",
    }
}

pub(super) fn kind(name: &[u8]) -> Option<ChainKind> {
    match name {
        b"filter" => Some(ChainKind::Filter),
        b"nat" => Some(ChainKind::Nat),
        _ => None,
    }
}

/// `NF_DROP`, `NF_ACCEPT`.
pub(super) fn policy_number(policy: Policy) -> u32 {
    match policy {
        Policy::Drop => 0,
        Policy::Accept => 1,
    }
}

pub(super) fn policy(number: u32) -> Option<Policy> {
    match number {
        0 => Some(Policy::Drop),
        1 => Some(Policy::Accept),
        _ => None,
    }
}
