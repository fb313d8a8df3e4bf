//! IP prefixes, range sets and prefix allocation.
//!
//! Everything here is arithmetic on plain values: no I/O, no clock, no order that depends on a hash.
//! No function walks the addresses of a range, so the cost of an answer depends on how many
//! prefixes are asked about and never on how large they are.

mod buddy;
mod cidr;
mod error;
mod free;
mod map;
mod overlap;
mod parse;
mod plan;
mod range;
mod set;
pub mod special;

pub use buddy::{Buddy, BuddyError};
pub use cidr::{Cidr, Family, Subnets};
pub use error::{CidrError, Wanted};
pub use map::PrefixMap;
pub use overlap::{Entry, disjoint, overlaps};
pub use parse::{Parsed, parse_address};
pub use plan::{Level, NoFit, Placement, Request, plan, smallest_prefix_for};
pub use range::{AddressRange, RangeCidrs};
pub use set::RangeSet;
pub use special::Class;
