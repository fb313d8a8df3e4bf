//! One run of a program: text in, text out, within limits.

use super::error::{IptablesError, IptablesFailure};
use crate::event::wait;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use std::ffi::OsString;
use std::fs::File;
use std::io::{ErrorKind, Read, Seek, Write};
use std::os::fd::AsFd;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// What a run may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Time until it is killed.
    pub(super) time: Duration,
    /// Most bytes that are taken from either stream; what comes beyond is thrown away.
    pub(super) bytes: usize,
}

/// Runs a program in this thread's network namespace. Gives what it printed when it ended with status 0.
pub(super) fn run(
    program: &Path,
    arguments: &[OsString],
    input: &str,
    limits: Limits,
) -> Result<String, IptablesError> {
    let error = |failure| IptablesError { program: program.display().to_string(), failure };
    let not_run = |reason: std::io::Error| match reason.kind() {
        ErrorKind::NotFound => error(IptablesFailure::Missing),
        _ => error(IptablesFailure::NotRun { reason: reason.to_string() }),
    };
    let input_file = held(input).map_err(not_run)?;
    let child = Command::new(program)
        .args(arguments)
        // Messages are read: they must not come in another language.
        .env("LC_ALL", "C")
        .stdin(input_file)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(not_run)?;
    let mut running = Running { child, ended: false };
    let end = Instant::now().checked_add(limits.time);
    let finished = running.finish(end, limits.bytes).map_err(not_run)?;
    let Some((status, stdout, stderr)) = finished else {
        return Err(error(IptablesFailure::TimedOut { after: limits.time }));
    };
    if status.success() {
        return Ok(String::from_utf8_lossy(&stdout).into_owned());
    }
    Err(error(IptablesFailure::of(status.code(), &String::from_utf8_lossy(&stderr), input)))
}

/// The text as a file in memory: unlike a pipe it needs nobody to feed it while the output is read.
fn held(text: &str) -> std::io::Result<File> {
    let mut file = File::from(memfd_create("iptables-restore", MFdFlags::MFD_CLOEXEC)?);
    file.write_all(text.as_bytes())?;
    file.rewind()?;
    Ok(file)
}

struct Running {
    child: Child,
    ended: bool,
}

type Finished = (ExitStatus, Vec<u8>, Vec<u8>);

impl Running {
    /// Both streams to their end and the exit status; `None` when the time is over.
    fn finish(&mut self, end: Option<Instant>, most: usize) -> std::io::Result<Option<Finished>> {
        let mut stdout = self.child.stdout.take().ok_or(ErrorKind::BrokenPipe)?;
        let mut stderr = self.child.stderr.take().ok_or(ErrorKind::BrokenPipe)?;
        for stream in [stdout.as_fd(), stderr.as_fd()] {
            fcntl(stream, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        }
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let (mut out_open, mut err_open) = (true, true);
        while out_open || err_open {
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            if left == Some(Duration::ZERO) {
                return Ok(None);
            }
            let mut open = Vec::new();
            if out_open {
                open.push(stdout.as_fd());
            }
            if err_open {
                open.push(stderr.as_fd());
            }
            wait(&open, left).map_err(|error| std::io::Error::from(error.errno))?;
            out_open = out_open && take(&mut stdout, &mut out, most)?;
            err_open = err_open && take(&mut stderr, &mut err, most)?;
        }
        // Both streams are closed: what still runs is only on its way out.
        let status = self.child.wait()?;
        self.ended = true;
        Ok(Some((status, out, err)))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.ended {
            // Leave neither a program that goes on writing rules nor a zombie. It may have ended by itself meanwhile.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Takes what there is; false at the end of the stream.
fn take(stream: &mut impl Read, into: &mut Vec<u8>, most: usize) -> std::io::Result<bool> {
    let mut buffer = [0; 65_536];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return Ok(false),
            Ok(read) => {
                let room = most.saturating_sub(into.len());
                into.extend(buffer.iter().take(read.min(room)));
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(true),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
