//! Several rtnetlink messages in one send.

use super::refused;
use crate::netlink::read::Role;
use crate::netlink::write::{Attributes, Writer, flag};
use crate::netlink::{Error, Socket};
use crate::system::SystemError;
use nix::errno::Errno;

/// Answers wait in the socket's receive buffer, where every small message takes about 800 bytes of the default 200 KiB.
const MOST_MESSAGES: usize = 100;

type Body = Box<dyn FnOnce(&mut Attributes<'_>)>;

/// Messages to be sent, each with what it is for.
#[derive(Default)]
pub(super) struct Batch {
    messages: Vec<Wanted>,
}

struct Wanted {
    what: String,
    kind: u16,
    flags: u16,
    header: Vec<u8>,
    body: Body,
    /// Answers that are as good as yes.
    fine: &'static [Errno],
}

impl Batch {
    /// Appends a message. `what` completes "can't ...".
    pub(super) fn push(
        &mut self,
        what: String,
        (kind, flags): (u16, u16),
        header: &[u8],
        body: impl FnOnce(&mut Attributes<'_>) + 'static,
    ) -> &mut Batch {
        self.messages.push(Wanted { what, kind, flags, header: header.to_vec(), body: Box::new(body), fine: &[] });
        self
    }

    /// Says which answers to the last message are no failure.
    pub(super) fn unless(&mut self, fine: &'static [Errno]) {
        if let Some(last) = self.messages.last_mut() {
            last.fine = fine;
        }
    }

    /// Sends all, and waits until all are done.
    pub(super) fn send(self, socket: &mut Socket) -> Result<(), SystemError> {
        let mut messages = self.messages.into_iter().peekable();
        let mut first_failure = None;
        while messages.peek().is_some() {
            let part: Vec<Wanted> = messages.by_ref().take(MOST_MESSAGES).collect();
            let failure = send_part(part, socket)?;
            first_failure = first_failure.or(failure);
        }
        first_failure.map_or(Ok(()), Err)
    }
}

/// The first refusal among the messages of one send. Only the last one is acknowledged; refusals are always answered.
fn send_part(part: Vec<Wanted>, socket: &mut Socket) -> Result<Option<SystemError>, SystemError> {
    let count = u32::try_from(part.len()).unwrap_or(u32::MAX);
    let first = socket.next_sequences(count);
    let last = first.saturating_add(count.saturating_sub(1));
    let mut writer = Writer::new();
    let mut what = Vec::new();
    for (sequence, wanted) in (first..).zip(part) {
        let ack = if sequence == last { flag::ACK } else { 0 };
        writer.message(wanted.kind, wanted.flags | ack, sequence, &wanted.header, wanted.body);
        what.push((wanted.what, wanted.fine));
    }
    let on_the_whole = |error: Error| refused(what.first().map_or("talk to the kernel", |(what, _)| what), &error);
    let bytes = writer.finish().map_err(|error| on_the_whole(error.into()))?;
    socket.send(&bytes).map_err(on_the_whole)?;
    let port = socket.port();
    let (mut done, mut failure) = (false, None);
    while !done {
        let there = socket
            .receive(true, &mut |message| {
                let place = message.sequence.checked_sub(first).and_then(|at| what.get(usize::try_from(at).ok()?));
                let Some((what, fine)) = place.filter(|_| message.port == port) else { return Ok(true) };
                match message.role()? {
                    Role::Failed(answer) => {
                        done |= message.sequence == last;
                        if !fine.contains(&answer.errno) && failure.is_none() {
                            failure = Some(refused(what, &Error::from_answer(answer.errno, answer.message())));
                        }
                    }
                    Role::Acknowledged => done |= message.sequence == last,
                    _ => {}
                }
                Ok(!done)
            })
            .map_err(on_the_whole)?;
        if !there {
            return Err(on_the_whole(Error::Call { call: "recvfrom", errno: Errno::ETIMEDOUT }));
        }
    }
    Ok(failure)
}
