//! A sign of life for whoever waits longer than a second at a terminal.

use std::io::{IsTerminal as _, Write as _};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Shows words on standard error once a second has passed, and takes them away when it ends.
pub(crate) struct Progress(Option<(Sender<()>, JoinHandle<()>)>);

impl Progress {
    pub(crate) fn start(words: &'static str) -> Progress {
        if !std::io::stderr().is_terminal() {
            return Progress(None);
        }
        let (done, waiting) = mpsc::channel();
        let thread = thread::spawn(move || {
            if waiting.recv_timeout(Duration::from_secs(1)) != Err(RecvTimeoutError::Timeout) {
                return;
            }
            let mut stderr = std::io::stderr();
            let _ = write!(stderr, "{words}…").and_then(|()| stderr.flush());
            let _ = waiting.recv();
            let _ =
                write!(stderr, "\r{:width$}\r", "", width = words.chars().count() + 1).and_then(|()| stderr.flush());
        });
        Progress(Some((done, thread)))
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((done, thread)) = self.0.take() {
            drop(done);
            let _ = thread.join();
        }
    }
}
