//! Running the built program, and looking at what it printed.

use serde_json::Value;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The day all tests are run on.
pub(crate) const TODAY: &str = "2026-11-20";

/// What a run came to.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    /// Standard output as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}:\n{}\n{}", self.stdout, self.stderr))
    }

    /// Everything a person at a terminal sees, and the exit code.
    pub(crate) fn seen(&self) -> String {
        format!("{}---- stderr\n{}---- exit {}\n", self.stdout, self.stderr, self.code)
    }
}

/// The program, to be run in a folder.
#[expect(clippy::disallowed_methods, reason = "the tests run the program itself")]
pub(crate) fn program(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_causeway"));
    command.current_dir(folder).env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE").env("TERM", "xterm");
    command
}

/// Runs the program in a folder, with a text on its standard input.
pub(crate) fn run_in(folder: &Path, args: &[&str], stdin: &str) -> Run {
    let mut child = program(folder)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    // A program that does not read its input closes it.
    let _ = child.stdin.take().expect("it is piped").write_all(stdin.as_bytes());
    let output = child.wait_with_output().expect("the program ends");
    let text = |bytes| String::from_utf8(bytes).expect("it prints UTF-8");
    Run { code: output.status.code().unwrap_or(-1), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// Runs the program at the root of the workspace.
pub(crate) fn run(args: &[&str]) -> Run {
    run_in(&root(), args, "")
}

/// Checks a text from standard input and reads the answer.
pub(crate) fn check_text(text: &str) -> Run {
    run_in(&root(), &["check", "-", "--format", "json", "--as-of", TODAY], text)
}

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).expect("the crate lies two folders deep").to_owned()
}

/// The text of a file of the workspace.
#[expect(clippy::disallowed_methods, reason = "tests read the files they test")]
pub(crate) fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Writes a file, and the folders it lies in.
#[expect(clippy::disallowed_methods, reason = "tests write the files they need")]
pub(crate) fn write(path: &Path, bytes: impl AsRef<[u8]>) {
    std::fs::create_dir_all(path.parent().expect("a file lies in a folder")).expect("the folder can be made");
    std::fs::write(path, bytes).expect("the file can be written");
}

/// What lies in a folder of the workspace, sorted by name.
#[expect(clippy::disallowed_methods, reason = "tests read the folders they test")]
pub(crate) fn list(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("it can be read").path()).collect();
    paths.sort();
    paths
}

/// The folders in a folder of the workspace, sorted by name.
#[expect(clippy::disallowed_methods, reason = "tests read the folders they test")]
pub(crate) fn folders(folder: &Path) -> Vec<PathBuf> {
    list(folder).into_iter().filter(|path| path.is_dir()).collect()
}

/// Holds a text to the one that is kept in the workspace; `UPDATE_EXPECTED=1` keeps the new one.
#[expect(clippy::disallowed_methods, reason = "the one switch of the tests")]
pub(crate) fn expect_file(path: &Path, text: &str) -> Result<(), String> {
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        write(path, text);
        return Ok(());
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default().replace("\r\n", "\n");
    if kept == text {
        return Ok(());
    }
    let line = kept.lines().zip(text.lines()).position(|(one, other)| one != other);
    let line = line.unwrap_or_else(|| kept.lines().count().min(text.lines().count()));
    let at = |text: &str| text.lines().nth(line).unwrap_or("(nothing)").to_owned();
    Err(format!(
        "{} differs at line {}:\n  kept: {}\n  now:  {}\n  `UPDATE_EXPECTED=1 cargo test -p causeway` keeps what is printed now",
        path.display(),
        line + 1,
        at(&kept),
        at(text)
    ))
}

/// `CODE OBJECT` of every finding of an answer, with its severity.
pub(crate) fn findings(answer: &Value) -> Vec<(String, String, String)> {
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap_or_default().to_owned();
    let list = answer["findings"].as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter().map(|finding| (text(finding, "code"), text(finding, "severity"), text(finding, "object"))).collect()
}
