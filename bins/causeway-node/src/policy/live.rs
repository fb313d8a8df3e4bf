//! What the pages show, with counters as of now.

use super::agent::Shared;
use super::metrics;
use super::status::Status;
use crate::keeping::pages::{Health, Source};
use causeway_addr::Family;
use causeway_dataplane::policy::table;
use causeway_linux::nftables::Connection;
use std::sync::PoisonError;
use std::time::Instant;

/// The agent's status.
pub(crate) struct Live {
    status: Shared,
    /// Opened when it is needed, and again after a failure.
    tables: Option<Connection>,
}

impl Live {
    pub(crate) fn new(status: Shared) -> Live {
        Live { status, tables: None }
    }

    fn status(&self) -> Status {
        self.status.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Source for Live {
    fn metrics(&mut self) -> Result<String, std::fmt::Error> {
        // Counters that go at a change of reasons are added to what was before under the same lock: none is counted twice.
        let mut status = self.status.lock().unwrap_or_else(PoisonError::into_inner);
        if self.tables.is_none() {
            self.tables = Connection::open().ok();
        }
        for family in Family::ALL {
            match self.tables.as_mut().map(|tables| tables.counts(&table(family))) {
                Some(Ok(counts)) => {
                    status.counters.extend(counts.into_iter().map(|(name, count)| ((family, name), count)));
                }
                Some(Err(_)) => self.tables = None,
                None => {}
            }
        }
        let status = status.clone();
        metrics::page(status)
    }

    fn health(&mut self) -> Health {
        let (status, now) = (self.status(), Instant::now());
        Health { alive: status.is_alive(now), ready: status.is_ready(), body: status.to_json(now) }
    }
}
