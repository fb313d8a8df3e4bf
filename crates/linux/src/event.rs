//! Waiting for several things at once, without an executor.

use crate::system::SystemError;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

/// Waits until at least one descriptor can be read (or has failed, which reading then tells), at most `timeout`; `None` = as long
/// as it takes. True for each that is ready; none is true when the time ran out.
///
/// # Errors
///
/// EINVAL for more descriptors than the process may open.
pub fn wait(descriptors: &[BorrowedFd<'_>], timeout: Option<Duration>) -> Result<Vec<bool>, SystemError> {
    let end = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    let mut polled: Vec<PollFd<'_>> =
        descriptors.iter().map(|descriptor| PollFd::new(*descriptor, PollFlags::POLLIN)).collect();
    loop {
        match poll(&mut polled, left(end)) {
            Ok(0) if end.is_some_and(|end| Instant::now() < end) => {}
            Ok(_) => return Ok(polled.iter().map(|one| one.any().unwrap_or(true)).collect()),
            Err(Errno::EINTR | Errno::EAGAIN) => {}
            Err(errno) => return Err(SystemError::new("wait for events", errno)),
        }
    }
}

/// What is left until then in milliseconds, rounded up: waking early would spin.
fn left(end: Option<Instant>) -> PollTimeout {
    let Some(end) = end else { return PollTimeout::NONE };
    let micros = end.saturating_duration_since(Instant::now()).as_micros();
    PollTimeout::try_from(micros.div_ceil(1000)).unwrap_or(PollTimeout::MAX)
}

/// A descriptor that becomes readable when a time has passed.
#[derive(Debug)]
pub struct Timer {
    timer: TimerFd,
}

impl Timer {
    /// A timer that is not set.
    ///
    /// # Errors
    ///
    /// At the limit of open files.
    pub fn new() -> Result<Timer, SystemError> {
        let flags = TimerFlags::TFD_CLOEXEC | TimerFlags::TFD_NONBLOCK;
        let timer = TimerFd::new(ClockId::CLOCK_BOOTTIME, flags).map_err(|errno| failed("make", errno))?;
        Ok(Timer { timer })
    }

    /// Becomes ready once, after this time, in place of what was set before. At least a nanosecond: zero would switch it off.
    ///
    /// # Errors
    ///
    /// Never seen.
    pub fn set(&self, after: Duration) -> Result<(), SystemError> {
        let after = TimeSpec::from_duration(after.max(Duration::from_nanos(1)));
        self.timer.set(Expiration::OneShot(after), TimerSetTimeFlags::empty()).map_err(|errno| failed("set", errno))
    }

    /// Not ready any more, and not set.
    ///
    /// # Errors
    ///
    /// Never seen.
    pub fn clear(&self) -> Result<(), SystemError> {
        self.timer.unset().map_err(|errno| failed("clear", errno))
    }
}

impl AsFd for Timer {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.timer.as_fd()
    }
}

fn failed(what: &str, errno: Errno) -> SystemError {
    SystemError::new(format!("{what} a timer"), errno)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn what_is_ready_is_told_apart() {
        let (quiet, _held) = std::io::pipe().unwrap();
        let (ready, mut writer) = std::io::pipe().unwrap();
        writer.write_all(b"x").unwrap();
        assert_eq!(wait(&[quiet.as_fd(), ready.as_fd()], None).unwrap(), [false, true]);
        assert_eq!(wait(&[quiet.as_fd()], Some(Duration::ZERO)).unwrap(), [false]);
    }

    #[test]
    fn a_closed_pipe_is_ready() {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(writer);
        assert_eq!(wait(&[reader.as_fd()], None).unwrap(), [true]);
    }

    #[test]
    fn a_timer_fires_and_can_be_cleared() {
        let timer = Timer::new().unwrap();
        timer.set(Duration::ZERO).unwrap();
        assert_eq!(wait(&[timer.as_fd()], None).unwrap(), [true]);
        timer.clear().unwrap();
        assert_eq!(wait(&[timer.as_fd()], Some(Duration::from_millis(2))).unwrap(), [false]);
    }
}
