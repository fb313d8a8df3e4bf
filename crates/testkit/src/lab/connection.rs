//! Connections of real sockets.
#![expect(clippy::disallowed_types, reason = "the lab is where real connections are made")]

use causeway_linux::event;
use causeway_linux::namespace::Namespace;
use causeway_linux::system::SystemError;
use nix::errno::Errno;
use nix::sys::socket::{setsockopt, sockopt};
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::time::Duration;

/// The port the world listens on, at every address.
const PORT: u16 = 8080;
/// A connection takes about 50 microseconds; one that is dropped takes this long.
const PATIENCE: Duration = Duration::from_millis(500);

/// Listens on every address of the world.
pub(super) struct Listener {
    socket: TcpListener,
}

impl Listener {
    pub(super) fn open(world: &Namespace) -> Result<Listener, SystemError> {
        let open = || {
            // The unspecified IPv6 address takes connections of both families.
            let socket = TcpListener::bind((Ipv6Addr::UNSPECIFIED, PORT))
                .map_err(|error| SystemError::io(format!("listen on port {PORT} of the world"), &error))?;
            // Answers leave with an address that no link of the world has.
            setsockopt(&socket, sockopt::IpTransparent, &true)
                .map_err(|errno| SystemError::new("answer for foreign addresses", errno))?;
            Ok(Listener { socket })
        };
        world.enter(open)?
    }

    pub(super) fn connect(&self, from: &Namespace, to: IpAddr) -> Result<IpAddr, SystemError> {
        let failed = |what: &str| {
            let text = format!("{what} `{to}` from `{}`", from.name());
            move |error: std::io::Error| SystemError::io(&text, &error)
        };
        let address = SocketAddr::new(to, PORT);
        let mut client =
            from.enter(|| TcpStream::connect_timeout(&address, PATIENCE))?.map_err(failed("connect to"))?;
        event::wait(&[self.socket.as_fd()], Some(PATIENCE))?;
        let (mut server, peer) = self.socket.accept().map_err(failed("accept at"))?;
        for stream in [&client, &server] {
            stream.set_read_timeout(Some(PATIENCE)).map_err(failed("talk to"))?;
        }
        let mut heard = [0; 4];
        client.write_all(b"ping").map_err(failed("talk to"))?;
        server.read_exact(&mut heard).map_err(failed("be heard by"))?;
        server.write_all(&heard).map_err(failed("answer for"))?;
        client.read_exact(&mut heard).map_err(failed("hear from"))?;
        if &heard == b"ping" {
            Ok(peer.ip().to_canonical())
        } else {
            Err(SystemError::new("recognise the answer", Errno::EPROTO))
        }
    }
}
