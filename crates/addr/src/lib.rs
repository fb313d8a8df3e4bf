//! IP prefixes, range sets and prefix allocation.
//!
//! Everything here is arithmetic on plain values: no I/O, no clock, no order that depends on a hash.
//! No function walks the addresses of a range, so the cost of an answer depends on how many
//! prefixes are asked about and never on how large they are.
//!
//! ```
//! use causeway_addr::{Cidr, Family, RangeSet, Request, plan};
//!
//! let network: Cidr = "10.80.0.0/16".parse()?;
//! let taken: Cidr = "10.80.0.0/24".parse()?;
//! let requests: Vec<Request> = [("nodes", 21), ("endpoints", 24)]
//!     .into_iter()
//!     .filter_map(|(name, len)| Request::new(name, Family::V4, len))
//!     .collect();
//! let placed = plan(&[network], &[taken], &requests)?;
//! assert_eq!(placed[0].cidr.to_string(), "10.80.8.0/21");
//! assert_eq!(placed[1].cidr.to_string(), "10.80.1.0/24");
//!
//! let used: RangeSet = placed.iter().map(|p| p.cidr).chain([taken]).collect();
//! assert_eq!(used.size(Family::V4), 2048 + 256 + 256);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![warn(clippy::print_stdout, clippy::print_stderr)]

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
