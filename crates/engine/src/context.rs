//! What every check is given.

use crate::Options;
use crate::capacity::Capacity;
use causeway_model::design::Design;
use causeway_model::facts::Limits;
use jiff::civil::Date;

/// What every check is given: the design, the day, and what was already worked out once.
#[derive(Debug, Clone)]
pub struct Context<'a> {
    /// The design.
    pub design: &'a Design,
    /// The day life-cycle dates are compared with.
    pub as_of: Date,
    /// Address pools and SNAT ports.
    pub capacity: &'a Capacity,
    /// Platform limits, as the design overrides them.
    pub limits: Limits,
}

impl<'a> Context<'a> {
    /// Puts it together.
    pub fn new(design: &'a Design, options: Options, capacity: &'a Capacity) -> Self {
        let (limits, _) = Limits::with_overrides(&design.limit_overrides);
        Context { design, as_of: options.as_of, capacity, limits }
    }
}
