//! Signals as something to wait for, among other things.

use crate::system::SystemError;
use nix::errno::Errno;
use nix::sys::signal::SigSet;
use nix::sys::signalfd::{SfdFlags, SignalFd};
use std::os::fd::{AsFd, BorrowedFd};

/// What a service is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Signal {
    /// SIGTERM or SIGINT: end.
    Stop,
    /// SIGHUP: read the configuration again.
    Reload,
}

/// Holds SIGTERM, SIGINT and SIGHUP back from their default effect and hands them out one by one.
#[derive(Debug)]
pub struct Signals {
    descriptor: SignalFd,
}

impl Signals {
    /// Holds them back in this thread and in those it starts later; call it first.
    ///
    /// # Errors
    ///
    /// At the limit of open files.
    pub fn hold() -> Result<Signals, SystemError> {
        use nix::sys::signal::Signal::{SIGHUP, SIGINT, SIGTERM};
        let set: SigSet = [SIGTERM, SIGINT, SIGHUP].into_iter().collect();
        set.thread_block().map_err(failed)?;
        let descriptor = SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK).map_err(failed)?;
        Ok(Signals { descriptor })
    }

    /// The next one that came; `None` when there is none.
    ///
    /// # Errors
    ///
    /// Never seen.
    pub fn next(&self) -> Result<Option<Signal>, SystemError> {
        let came = self.descriptor.read_signal().map_err(failed)?;
        Ok(came.map(|signal| {
            let reload = i32::try_from(signal.ssi_signo) == Ok(nix::sys::signal::Signal::SIGHUP as i32);
            if reload { Signal::Reload } else { Signal::Stop }
        }))
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

fn failed(errno: Errno) -> SystemError {
    SystemError::new("hold signals back", errno)
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::pthread::{pthread_kill, pthread_self};
    use nix::sys::signal::Signal as Raw;

    #[test]
    fn signals_are_handed_out_and_end_nothing() {
        let signals = Signals::hold().unwrap();
        assert_eq!(signals.next().unwrap(), None);
        for (raw, expected) in
            [(Raw::SIGHUP, Signal::Reload), (Raw::SIGTERM, Signal::Stop), (Raw::SIGINT, Signal::Stop)]
        {
            // To this thread: one sent to the process could be taken by another test's thread, which does not hold it back.
            pthread_kill(pthread_self(), raw).unwrap();
            assert_eq!(crate::event::wait(&[signals.as_fd()], None).unwrap(), [true]);
            assert_eq!(signals.next().unwrap(), Some(expected));
        }
        assert_eq!(signals.next().unwrap(), None);
    }
}
