//! What the pages show is asked for when they are read, so that a look at the kernel every minute is enough.

use super::agent::Shared;
use super::metrics::{self, Sample};
use crate::keeping::pages::{Health, Source};
use causeway_addr::Family;
use causeway_dataplane::masquerade::table;
use causeway_linux::{conntrack, nftables};
use std::collections::BTreeSet;
use std::sync::PoisonError;
use std::time::Instant;

/// The agent's status, with counters as of now.
pub(crate) struct Live {
    status: Shared,
    /// Opened when they are needed, and again after a failure.
    connections: Option<conntrack::Connection>,
    tables: Option<nftables::Connection>,
}

impl Live {
    pub(crate) fn new(status: Shared) -> Live {
        Live { status, connections: None, tables: None }
    }

    /// Everything, as of now.
    fn sample(&mut self) -> Sample {
        let mut status = self.status.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut connection = self.connections.take().or_else(|| conntrack::Connection::open().ok());
        let statistics = connection.as_mut().and_then(|connection| connection.statistics().ok());
        self.connections = connection.filter(|_| statistics.is_some());
        // Families that were counted at the last look; one that can't be asked now keeps what it showed then.
        let families: BTreeSet<Family> = status.counts.keys().map(|(family, _)| *family).collect();
        if !families.is_empty() && self.tables.is_none() {
            self.tables = nftables::Connection::open().ok();
        }
        for family in families {
            match self.tables.as_mut().map(|tables| tables.counts(&table(family))) {
                Some(Ok(counts)) => {
                    status.counts.extend(counts.into_iter().map(|(name, count)| ((family, name), count)));
                }
                Some(Err(_)) => self.tables = None,
                None => {}
            }
        }
        Sample { status, conntrack: statistics }
    }
}

impl Source for Live {
    fn metrics(&mut self) -> Result<String, std::fmt::Error> {
        metrics::page(self.sample())
    }

    fn health(&mut self) -> Health {
        let (status, now) = (self.sample().status, Instant::now());
        Health { alive: status.is_alive(now), ready: status.is_ready(), body: status.to_json(now) }
    }
}
