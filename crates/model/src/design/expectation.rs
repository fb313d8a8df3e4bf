//! What people say about a design: growth, loads, records, acceptances, expectations.

use super::value::{Factor, Protocol};
use jiff::civil::Date;
use std::collections::BTreeMap;

/// Growth to plan for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Growth {
    /// Nodes at the end of the period over nodes at maximum now; 2.0 = twice as many.
    pub nodes: Factor,
    /// The period, for the message only.
    pub months: Option<u32>,
}

/// What an application opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Load {
    /// WHO.
    pub from: String,
    /// WHERE, with port.
    pub to: String,
    /// New connections per second.
    pub per_second: Option<u64>,
    /// Connections open at one time.
    pub concurrent: Option<u64>,
    /// How long one lasts.
    pub seconds: Option<u64>,
    /// Interval of keep-alives; `None` = none.
    pub keep_alive_seconds: Option<u64>,
}

/// An answer only people can give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// When.
    pub on: Option<Date>,
    /// Who says so.
    pub by: Option<String>,
    /// `false` = the answer is no.
    pub answer: bool,
    /// In words, or where it is written.
    pub note: Option<String>,
}

/// A finding people live with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acceptance {
    /// The code, as written.
    pub finding: String,
    /// The object it is accepted on, and everything below; `None` = everywhere.
    pub on: Option<String>,
    /// Why.
    pub because: String,
}

/// A test of the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expectation {
    /// Its name.
    pub name: String,
    /// WHO.
    pub from: String,
    /// WHERE, with port where one is needed.
    pub to: String,
    /// Default TCP.
    pub protocol: Option<Protocol>,
    /// What is asserted, by field name (`verdict`, `sourceSeen`, `snatBy`, ...); a list means any of them.
    pub asserts: BTreeMap<String, Vec<String>>,
}
