//! The one door to files: binaries pass in the real thing, tests a map.

use std::collections::BTreeMap;

/// Reads files for includes (`manifests: [./k8s/*.yaml]`, `files: {x: {path: ./x}}`).
pub trait Files {
    /// The bytes of a file, or why it can't be read, in words.
    ///
    /// # Errors
    /// The operating system's reason.
    fn read(&self, path: &str) -> Result<Vec<u8>, String>;

    /// Paths that match a glob, sorted; a path without wildcards matches itself if it exists.
    ///
    /// # Errors
    /// An invalid pattern.
    fn glob(&self, pattern: &str) -> Result<Vec<String>, String>;
}

/// Files in memory, for tests. Globs know `*` within one name only.
#[derive(Debug, Clone, Default)]
pub struct MemoryFiles(pub BTreeMap<String, Vec<u8>>);

impl Files for MemoryFiles {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        self.0.get(path).cloned().ok_or_else(|| "no such file".to_owned())
    }

    fn glob(&self, pattern: &str) -> Result<Vec<String>, String> {
        let matches = |path: &str| {
            let (mut path, mut first) = (path, true);
            let mut parts = pattern.split('*').peekable();
            while let Some(part) = parts.next() {
                let found = if first { path.starts_with(part).then_some(0) } else { path.find(part) };
                let Some(at) = found else { return false };
                if path.get(..at).is_none_or(|skipped| skipped.contains('/')) {
                    return false;
                }
                path = path.get(at + part.len()..).unwrap_or("");
                first = false;
                if parts.peek().is_none() && !part.is_empty() && !path.is_empty() {
                    return false;
                }
            }
            !path.contains('/')
        };
        Ok(self.0.keys().filter(|path| matches(path)).cloned().collect())
    }
}
