//! What every check is given.

use crate::Options;
use crate::capacity::Capacity;
use causeway_model::design::Design;
use jiff::civil::Date;

/// What every check is given: the design, the day, and what was already worked out once.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The design.
    pub design: &'a Design,
    /// The day life-cycle dates are compared with.
    pub as_of: Date,
    /// Address pools and SNAT ports.
    pub capacity: &'a Capacity,
}

impl<'a> Context<'a> {
    /// Puts it together.
    pub fn new(design: &'a Design, options: Options, capacity: &'a Capacity) -> Self {
        Context { design, as_of: options.as_of, capacity }
    }
}
