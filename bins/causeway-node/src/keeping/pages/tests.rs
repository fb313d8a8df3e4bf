use super::*;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Instant;

struct Fixed(bool);

impl Source for Fixed {
    fn metrics(&mut self) -> Result<String, std::fmt::Error> {
        Ok("causeway_x_ready 0.0\n".to_owned())
    }

    fn health(&mut self) -> Health {
        Health { alive: true, ready: self.0, body: serde_json::json!({"reasons": ["no-configuration"]}) }
    }
}

/// The status line, the headers and the body.
fn get(at: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(at).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn served(ready: bool) -> SocketAddr {
    let (listener, at) = listen("127.0.0.1:0").unwrap();
    thread::spawn(move || answer(listener, Fixed(ready)));
    at
}

#[test]
fn the_pages_answer() {
    let at = served(false);
    assert!(get(at, "/healthz").starts_with("HTTP/1.1 200 "));
    let readiness = get(at, "/readyz");
    assert!(readiness.starts_with("HTTP/1.1 503 ") && readiness.contains("no-configuration"), "{readiness}");
    let metrics = get(at, "/metrics");
    assert!(metrics.contains("content-type: application/openmetrics-text; version=1.0.0"), "{metrics}");
    assert!(metrics.contains("causeway_x_ready 0.0"), "{metrics}");
    assert!(get(at, "/").starts_with("HTTP/1.1 404 "));
}

#[test]
fn a_node_in_order_is_ready() {
    let at = served(true);
    assert!(get(at, "/readyz").starts_with("HTTP/1.1 200 "));
}

#[test]
fn a_port_that_becomes_free_is_taken() {
    let (taken, at) = listen("127.0.0.1:0").unwrap();
    assert!(listen(&at.to_string()).is_err(), "two do not share it");
    serve(at.to_string(), Fixed(true), Duration::from_millis(1)).unwrap();
    drop(taken);
    let until = Instant::now() + Duration::from_secs(20);
    while TcpStream::connect(at).is_err() {
        assert!(Instant::now() < until, "nobody serves them");
    }
    assert!(get(at, "/healthz").starts_with("HTTP/1.1 200 "));
}

#[test]
fn addresses_are_read_as_go_reads_them() {
    for (text, first) in [
        ("127.0.0.1:9100", Some("127.0.0.1:9100")),
        (":9100", Some("[::]:9100")),
        ("[fd00::4]:9100", Some("[fd00::4]:9100")),
        ("fd00::4:9100", Some("[fd00::4]:9100")),
        ("nonsense", None),
        (":x", None),
        ("127.0.0.1:70000", None),
    ] {
        let found = addresses(text).ok().and_then(|all| all.first().map(ToString::to_string));
        assert_eq!(found.as_deref(), first, "{text}");
    }
    assert_eq!(addresses(":0").unwrap().len(), 2, "where there is no IPv6, IPv4");
}
