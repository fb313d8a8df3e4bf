//! From paths to what they say: files, folders, standard input. The one place that reads files.
#![expect(
    clippy::disallowed_methods,
    reason = "this is the rim: the one place that reads files, folders and standard input"
)]

use causeway_model::masquerade::MasqueradeReader;
use causeway_read::diagnostic::InputError;
use causeway_read::files::Files;
use causeway_read::kind::Kind;
use causeway_read::masquerade::{Directory, plain, takes_part};
use causeway_read::{Input, Loaded};
use std::collections::BTreeSet;
use std::fs::Metadata;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// Bytes of one file that are read. Large clusters export tens of megabytes; beyond this nobody waits for the answer.
const LARGEST: u64 = 128 << 20;
/// Endings of files that are read from folders.
const ENDINGS: &[&str] = &["yaml", "yml", "json"];
/// What standard input is called in messages.
const STDIN: &str = "stdin";

/// Reads everything that was given as one model. What can't be read is an error beside those of the others.
pub(crate) fn load(paths: &[PathBuf], kind: Option<Kind>) -> Loaded {
    let mut gathered = Gathered { kind, ..Gathered::default() };
    for path in paths {
        gathered.add(path);
    }
    let Gathered { inputs, mut errors, .. } = gathered;
    if inputs.is_empty() && !errors.is_empty() {
        return Loaded { sources: Default::default(), outcome: Err(errors) };
    }
    let mut loaded = causeway_read::load(inputs, &Disk);
    if !errors.is_empty() {
        errors.extend(loaded.outcome.err().unwrap_or_default());
        loaded.outcome = Err(errors);
    }
    loaded
}

/// What was given as a masquerade configuration: the agent's own files, or documents about a cluster.
pub(crate) enum Given {
    /// A configuration directory.
    Files(Directory),
    /// Everything else, read as a design.
    Design(Box<Loaded>),
}

/// Reads a masquerade configuration: a file or folder of the agent's, or anything that carries one.
pub(crate) fn masquerade(path: &Path) -> Given {
    let mut gathered = Gathered::default();
    if path.is_dir() {
        gathered.agents_files(path);
        if let Some(directory) = plain(&gathered.inputs).filter(|_| gathered.errors.is_empty()) {
            return Given::Files(directory);
        }
        if gathered.errors.is_empty() && files_of(path).is_ok_and(|files| files.is_empty()) {
            return Given::Files(Directory::Entries(Default::default()));
        }
        gathered = Gathered::default();
    }
    gathered.add(path);
    let Gathered { inputs, errors, .. } = gathered;
    if !errors.is_empty() {
        return Given::Design(Box::new(Loaded { sources: Default::default(), outcome: Err(errors) }));
    }
    match plain(&inputs) {
        Some(directory) => Given::Files(directory),
        None => Given::Design(Box::new(causeway_read::load(inputs, &Disk))),
    }
}

#[derive(Default)]
struct Gathered {
    kind: Option<Kind>,
    inputs: Vec<Input>,
    errors: Vec<InputError>,
    /// Files by their one true path: a file that is given twice says everything once.
    seen: BTreeSet<PathBuf>,
}

impl Gathered {
    fn add(&mut self, path: &Path) {
        if path == Path::new("-") {
            return self.standard_input();
        }
        match std::fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => self.folder(path),
            Ok(_) => self.file(path, false),
            Err(error) => self.error(path, &error.to_string(), READABLE),
        }
    }

    fn standard_input(&mut self) {
        if !self.seen.insert(PathBuf::from("-")) {
            return;
        }
        let mut bytes = Vec::new();
        match std::io::stdin().lock().take(LARGEST + 1).read_to_end(&mut bytes) {
            Ok(_) if bytes.len() as u64 > LARGEST => self.error(Path::new(STDIN), &too_large(None), SMALLER),
            Ok(_) => self.inputs.push(Input { name: STDIN.to_owned(), bytes, kind: self.kind, found: false }),
            Err(error) => self.error(Path::new(STDIN), &error.to_string(), "give the path of a file instead of `-`"),
        }
    }

    fn file(&mut self, path: &Path, found: bool) {
        let identity = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        if !self.seen.insert(identity) {
            return;
        }
        match read(path) {
            Ok(bytes) => self.inputs.push(Input { name: name(path), bytes, kind: self.kind, found }),
            Err(reason) => {
                let help = match reason.as_str() {
                    reason if reason.starts_with("it has") => SMALLER,
                    NO_FILE => "give a file or a folder, or `-` to read standard input",
                    _ => READABLE,
                };
                self.error(path, &reason, help);
            }
        }
    }

    fn folder(&mut self, path: &Path) {
        match files_of(path) {
            Ok(files) if files.is_empty() => {
                let help = "give the folder of a design, or the files themselves";
                self.error_of(
                    format!("the folder `{}` holds no file that ends in .yaml, .yml or .json", name(path)),
                    help,
                );
            }
            Ok(files) => files.iter().for_each(|file| self.file(file, true)),
            Err((path, error)) => self.error(&path, &error.to_string(), READABLE),
        }
    }

    /// The files of a folder whose names an agent would read.
    fn agents_files(&mut self, folder: &Path) {
        #[expect(clippy::disallowed_methods, reason = "this is the rim: the one place that reads folders")]
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => return self.error(folder, &error.to_string(), READABLE),
        };
        let mut paths: Vec<PathBuf> = entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
        paths.retain(|path| {
            let name = path.file_name().and_then(|name| name.to_str());
            name.is_some_and(|name| takes_part(MasqueradeReader::V2, name)) && path.is_file()
        });
        paths.sort();
        paths.iter().for_each(|path| self.file(path, true));
    }

    fn error(&mut self, path: &Path, reason: &str, help: &str) {
        self.error_of(format!("`{}` can't be read: {reason}", name(path)), help);
    }

    fn error_of(&mut self, message: String, help: &str) {
        self.errors.push(InputError { at: None, message, help: help.to_owned() });
    }
}

/// The files of a folder and of those in it, sorted. Hidden ones are left out, links are followed, and no folder is entered twice.
fn files_of(folder: &Path) -> Result<Vec<PathBuf>, (PathBuf, std::io::Error)> {
    let mut files = Vec::new();
    let mut entered = BTreeSet::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        let failed = |error| (folder.clone(), error);
        if !entered.insert(folder.canonicalize().map_err(failed)?) {
            continue;
        }
        for entry in std::fs::read_dir(&folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if entry.file_name().as_encoded_bytes().starts_with(b".") {
                continue;
            }
            let path = entry.path();
            // What vanished meanwhile, or is a link to nowhere, is no file of the folder.
            match std::fs::metadata(&path) {
                Ok(metadata) if metadata.is_dir() => open.push(path),
                Ok(metadata) if metadata.is_file() && has_known_ending(&path) => files.push(path),
                _ => {}
            }
        }
    }
    files.sort();
    Ok(files)
}

fn has_known_ending(path: &Path) -> bool {
    path.extension()
        .and_then(|ending| ending.to_str())
        .is_some_and(|ending| ENDINGS.iter().any(|known| known.eq_ignore_ascii_case(ending)))
}

/// A path as messages have it: as given, with `/` between its parts.
pub(crate) fn name(path: &Path) -> String {
    let name = path.to_string_lossy().into_owned();
    if cfg!(windows) { name.replace('\\', "/") } else { name }
}

const READABLE: &str = "give the path of a file or folder that is there and may be read; `-` reads standard input";
const NO_FILE: &str = "it is neither a file nor a folder";
const SMALLER: &str = "export less at once, or split the file";

fn too_large(size: Option<u64>) -> String {
    let has = size.map_or("more".to_owned(), |size| format!("{} MiB", size >> 20));
    format!("it has {has}, and more than {} MiB are not read", LARGEST >> 20)
}

/// The text of one file that is no part of the model.
pub(crate) fn text(path: &Path) -> Result<String, String> {
    String::from_utf8(read(path)?).map_err(|_| "it is no text".to_owned())
}

/// The bytes of a file. The size is asked first, and of files that don't say theirs no more is read than is allowed.
fn read(path: &Path) -> Result<Vec<u8>, String> {
    let words = |error: std::io::Error| error.to_string();
    let metadata: Metadata = std::fs::metadata(path).map_err(words)?;
    if metadata.is_dir() {
        return Err("it is a folder".to_owned());
    }
    // A pipe may never have anything to say, and a device never an end.
    if !metadata.is_file() {
        return Err(NO_FILE.to_owned());
    }
    if metadata.len() > LARGEST {
        return Err(too_large(Some(metadata.len())));
    }
    let file = std::fs::File::open(path).map_err(words)?;
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or_default());
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(words)?;
    if bytes.len() as u64 > LARGEST { Err(too_large(None)) } else { Ok(bytes) }
}

/// Files that a design includes.
struct Disk;

impl Files for Disk {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        read(Path::new(path))
    }

    fn glob(&self, pattern: &str) -> Result<Vec<String>, String> {
        let itself = Path::new(pattern);
        if itself.is_dir() {
            let files = files_of(itself).map_err(|(path, error)| format!("`{}`: {error}", name(&path)))?;
            return Ok(files.iter().map(|file| name(file)).collect());
        }
        if itself.exists() {
            return Ok(vec![pattern.to_owned()]);
        }
        let options = glob::MatchOptions {
            case_sensitive: true,
            require_literal_separator: true,
            require_literal_leading_dot: true,
        };
        let matches = glob::glob_with(pattern, options).map_err(|error| error.msg.to_owned())?;
        let mut paths: Vec<String> =
            matches.filter_map(Result::ok).filter(|path| path.is_file()).map(|path| name(&path)).collect();
        paths.sort();
        Ok(paths)
    }
}
