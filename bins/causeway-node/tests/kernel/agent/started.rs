//! A started agent, and the volume it reads.

use causeway_linux::namespace::Namespace;
use causeway_testkit::lab::{Lab, Place};
use causeway_testkit::trial::CannotProve;
use std::cell::RefCell;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

const PROGRAM: &str = env!("CARGO_BIN_EXE_causeway-node");
/// Longer than anything takes; a test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// The volume of a ConfigMap, as the kubelet keeps it: real files in a folder that a link leads to, and the link is what is swapped.
pub(crate) struct Volume {
    folder: tempfile::TempDir,
    directory: PathBuf,
}

impl Volume {
    pub(crate) fn new(files: &[(&str, &str)]) -> Volume {
        let folder = tempfile::tempdir().unwrap();
        let directory = folder.path().join("config");
        std::fs::create_dir(&directory).unwrap();
        for path in [folder.path(), &directory] {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        let volume = Volume { folder, directory };
        volume.swap(files);
        volume
    }

    pub(crate) fn path(&self) -> &Path {
        &self.directory
    }

    /// A path beside the volume that anybody may write.
    pub(crate) fn writable(&self, name: &str) -> PathBuf {
        let folder = self.folder.path().join("writable");
        std::fs::create_dir(&folder).unwrap();
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o777)).unwrap();
        folder.join(name)
    }

    /// A file beside the volume.
    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Gives it other contents: a new folder, the link swapped, links to files made and removed, the old folder removed.
    pub(crate) fn swap(&self, files: &[(&str, &str)]) {
        let data = self.directory.join("..data");
        let old = std::fs::read_link(&data).ok();
        let number: u32 = old.as_ref().map_or(0, |old| old.to_str().unwrap().trim_start_matches("..").parse().unwrap());
        let new = format!("..{}", number + 1);
        std::fs::create_dir(self.directory.join(&new)).unwrap();
        for (name, text) in files {
            std::fs::write(self.directory.join(&new).join(name), text).unwrap();
        }
        let link = self.directory.join("..data_tmp");
        symlink(&new, &link).unwrap();
        std::fs::rename(&link, &data).unwrap();
        for (name, _) in files {
            let _ = symlink(format!("..data/{name}"), self.directory.join(name));
        }
        for entry in std::fs::read_dir(&self.directory).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if !name.starts_with("..") && !files.iter().any(|(kept, _)| *kept == name) {
                std::fs::remove_file(self.directory.join(name)).unwrap();
            }
        }
        if let Some(old) = old {
            std::fs::remove_dir_all(self.directory.join(old)).unwrap();
        }
    }
}

/// A running agent. It is killed when it goes out of scope.
pub(crate) struct Agent {
    child: Child,
    lines: Receiver<String>,
    said: RefCell<Vec<String>>,
    _link: Option<tempfile::TempDir>,
}

impl Agent {
    pub(crate) fn start(lab: &Lab, volume: &Volume, arguments: &[&str]) -> Agent {
        Agent::spawn(lab, volume, command(Path::new(PROGRAM), arguments), None).unwrap()
    }

    /// Under another name.
    pub(crate) fn start_as(name: &str, lab: &Lab, volume: &Volume, arguments: &[&str]) -> Agent {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join(name);
        symlink(PROGRAM, &link).unwrap();
        Agent::spawn(lab, volume, command(&link, arguments), Some(folder)).unwrap()
    }

    /// As an ordinary user.
    pub(crate) fn start_without_privileges(
        lab: &Lab,
        volume: &Volume,
        arguments: &[&str],
    ) -> Result<Agent, CannotProve> {
        let mut command = command(Path::new(PROGRAM), arguments);
        command.uid(65_534).gid(65_534);
        Agent::spawn(lab, volume, command, None)
            .map_err(|error| CannotProve(format!("no process of another user: {error}")))
    }

    fn spawn(
        lab: &Lab,
        volume: &Volume,
        mut command: Command,
        link: Option<tempfile::TempDir>,
    ) -> std::io::Result<Agent> {
        command.arg(format!("--config-dir={}", volume.path().display())).arg("--log-format=json");
        Agent::launch(lab.namespace(Place::Node), command, link)
    }

    fn launch(node: &Namespace, mut command: Command, link: Option<tempfile::TempDir>) -> std::io::Result<Agent> {
        let mut child = node.enter(|| command.stderr(Stdio::piped()).spawn()).unwrap()?;
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (tell, lines) = channel();
        thread::spawn(move || stderr.lines().map_while(Result::ok).try_for_each(|line| tell.send(line)));
        Ok(Agent { child, lines, said: RefCell::new(Vec::new()), _link: link })
    }

    /// The policy agent, on a folder of manifests.
    pub(crate) fn start_policy(lab: &Lab, manifests: &Path, arguments: &[&str]) -> Agent {
        Agent::start_policy_in(lab.namespace(Place::Node), manifests, arguments)
    }

    /// The same, while the lab is busy elsewhere.
    pub(crate) fn start_policy_in(node: &Namespace, manifests: &Path, arguments: &[&str]) -> Agent {
        let mut command = Command::new(PROGRAM);
        command.arg("policy").arg("--manifests").arg(manifests).args(arguments);
        command.args(["--node-name", "n0", "--log-format", "json"]).stdin(Stdio::null()).stdout(Stdio::null());
        Agent::launch(node, command, None).unwrap()
    }

    /// Waits until it has logged a line with these words, after those that were waited for before.
    pub(crate) fn until(&mut self, words: &str) {
        self.line(words);
    }

    /// The same, and gives the line.
    pub(crate) fn line(&mut self, words: &str) -> String {
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => {
                    let found = line.contains(words).then(|| line.clone());
                    self.said.borrow_mut().push(line);
                    if let Some(line) = found {
                        return line;
                    }
                }
                Err(_) => panic!("it never said `{words}`, but\n{}", self.said.borrow().join("\n")),
            }
        }
    }

    /// Waits until it has logged lines with each of these, in whatever order.
    pub(crate) fn until_all(&mut self, words: &[&str]) {
        let mut missing = words.to_vec();
        while !missing.is_empty() {
            let Ok(line) = self.lines.recv_timeout(PATIENCE) else {
                panic!("it never said {missing:?}, but\n{}", self.said.borrow().join("\n"))
            };
            missing.retain(|words| !line.contains(words));
            self.said.borrow_mut().push(line);
        }
    }

    /// A page: the head of the answer and the body.
    pub(crate) fn get(&self, lab: &Lab, path: &str) -> String {
        let said = |line: &String| Some(line.split("http://").nth(1)?.split('"').next()?.to_owned());
        // The pages come on a thread of their own.
        let address = loop {
            if let Some(address) = self.said.borrow().iter().find_map(said) {
                break address;
            }
            let line = self.lines.recv_timeout(PATIENCE).expect("it says where the pages are");
            self.said.borrow_mut().push(line);
        };
        let ask = || {
            let mut stream = TcpStream::connect(&address)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            write!(stream, "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            std::io::Result::Ok(answer)
        };
        lab.namespace(Place::Node).enter(ask).unwrap().unwrap()
    }

    /// Asks for a page until it has these words: a change is looked into before it is known to be none.
    pub(crate) fn get_until(&self, lab: &Lab, path: &str, words: &str) -> String {
        let asked = Instant::now();
        loop {
            let page = self.get(lab, path);
            if page.contains(words) {
                return page;
            }
            assert!(asked.elapsed() < PATIENCE, "{path} never had `{words}`: {page}");
        }
    }

    /// Tells it to end; its exit status.
    pub(crate) fn terminate(mut self) -> Option<i32> {
        let pid = nix::unistd::Pid::from_raw(i32::try_from(self.child.id()).unwrap());
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).unwrap();
        self.child.wait().unwrap().code()
    }

    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(program: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    if program == Path::new(PROGRAM) {
        command.arg("masquerade");
    }
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null());
    command
}

/// Runs the program to its end on the node: exit status, standard output, standard error.
pub(crate) fn run(lab: &Lab, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = lab.on_node(|| Command::new(PROGRAM).args(arguments).output()).unwrap().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}
