//! /metrics, /healthz and /readyz, on a thread of their own so that a slow reader never holds up a repair.

use super::exposition::PAGE_TYPE;
use axum::Router;
use axum::http::{StatusCode, header::CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use serde_json::Value;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, ToSocketAddrs as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// Bytes of the thread's stack; what it does is shallow.
const STACK: usize = 256 << 10;

/// An address for the pages that can't be had is tried this often.
const AGAIN: Duration = Duration::from_secs(2);

/// Where the pages get what they show, as of now.
pub(crate) trait Source: Send + 'static {
    /// The text of the page of metrics.
    ///
    /// # Errors
    /// A metric can't be written.
    fn metrics(&mut self) -> Result<String, std::fmt::Error>;

    /// How the program is.
    fn health(&mut self) -> Health;
}

/// How the program is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Health {
    /// It does its work. A refused file or a kernel that refuses rules is no reason to restart: the rules that are there are the best
    /// there are.
    pub(crate) alive: bool,
    /// Packets are treated as was read.
    pub(crate) ready: bool,
    /// What there is to say about it.
    pub(crate) body: Value,
}

/// Serves the pages at an address, which is tried until it can be had.
pub(crate) fn start(address: &str, source: impl Source) {
    if let Err(error) = serve(address.to_owned(), source, AGAIN) {
        tracing::error!("pages can't be served at `{address}`: {error}");
    }
}

/// Serves the pages at an address until the process ends, on a thread of its own: rules wait neither for a name to be looked up nor for a
/// port that somebody else still has. While the address can't be had it is tried again every `retry`.
///
/// # Errors
/// There is no thread to be had.
fn serve(address: String, source: impl Source, retry: Duration) -> io::Result<()> {
    let thread = thread::Builder::new().name("pages".to_owned()).stack_size(STACK);
    thread.spawn(move || {
        let mut last = String::new();
        let (listener, local) = loop {
            match listen(&address) {
                Ok(listening) => break listening,
                Err(error) => {
                    let words = error.to_string();
                    if words != last {
                        tracing::error!("pages can't be served at `{address}`, which is tried again; rules do not wait for it: {words}");
                        last = words;
                    }
                }
            }
            // Nobody tells when a port becomes free.
            thread::park_timeout(retry);
        };
        tracing::info!("pages are served at http://{local}");
        if let Err(error) = answer(listener, source) {
            tracing::error!("the pages ended: {error}");
        }
    })?;
    Ok(())
}

/// The address that was taken has the port the system chose, where it was to choose one.
fn listen(address: &str) -> io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(addresses(address)?.as_slice())?;
    listener.set_nonblocking(true)?;
    let local = listener.local_addr()?;
    Ok((listener, local))
}

/// Answers until the process ends.
fn answer(listener: TcpListener, source: impl Source) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
    let source = Arc::new(Mutex::new(source));
    let page = |make: fn(&mut dyn Source) -> Response| {
        let source = Arc::clone(&source);
        get(move || std::future::ready(make(&mut *source.lock().unwrap_or_else(PoisonError::into_inner))))
    };
    let pages = Router::new()
        .route("/metrics", page(metrics_page))
        .route("/healthz", page(|source| health_page(source, |health| health.alive)))
        .route("/readyz", page(|source| health_page(source, |health| health.alive && health.ready)));
    runtime.block_on(async { axum::serve(tokio::net::TcpListener::from_std(listener)?, pages).await })
}

/// The addresses to try, the first that can be had is taken. `:9100` is every address, as Go has it; an IPv6 address needs no brackets,
/// because the kubelet puts it in without them.
fn addresses(text: &str) -> io::Result<Vec<SocketAddr>> {
    let invalid = |what| io::Error::new(io::ErrorKind::InvalidInput, what);
    let (host, port) = text.rsplit_once(':').ok_or_else(|| invalid("no port"))?;
    let port: u16 = port.parse().map_err(|_| invalid("invalid port"))?;
    if host.is_empty() {
        return Ok(vec![(Ipv6Addr::UNSPECIFIED, port).into(), (Ipv4Addr::UNSPECIFIED, port).into()]);
    }
    match host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
        Ok(host) => Ok(vec![(host, port).into()]),
        Err(_) => (host, port).to_socket_addrs().map(Iterator::collect),
    }
}

fn metrics_page(source: &mut dyn Source) -> Response {
    match source.metrics() {
        Ok(text) => ([(CONTENT_TYPE, PAGE_TYPE)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn health_page(source: &mut dyn Source, good: fn(&Health) -> bool) -> Response {
    let health = source.health();
    let status = if good(&health) { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, [(CONTENT_TYPE, "application/json")], format!("{:#}\n", health.body)).into_response()
}

#[cfg(test)]
mod tests;
