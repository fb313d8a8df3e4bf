//! Kernel settings of the network namespace this thread is in.

use crate::system::SystemError;
use nix::errno::Errno;
use std::path::PathBuf;

/// The value of a setting such as `net.ipv4.ip_forward`. Where a part of the name holds dots (a link `eth0.7`), write it
/// with slashes, as sysctl(8) does: `net/ipv4/conf/eth0.7/forwarding`.
///
/// # Errors
///
/// The setting is not there, or the name does not begin with `net` (EINVAL): only those belong to a namespace.
pub fn get(name: &str) -> Result<String, SystemError> {
    let text = std::fs::read_to_string(path(name)?)
        .map_err(|error| SystemError::io(format!("read setting `{name}`"), &error))?;
    Ok(text.trim_end().to_owned())
}

/// Sets a setting unless it has the value already; true if it was written.
///
/// # Errors
///
/// As [`get`]; EINVAL for a value the kernel refuses; EROFS and EACCES where the container mounts `/proc/sys` read-only.
pub fn set(name: &str, value: &str) -> Result<bool, SystemError> {
    if get(name).is_ok_and(|held| held == value) {
        return Ok(false);
    }
    std::fs::write(path(name)?, value)
        .map_err(|error| SystemError::io(format!("set `{name}` to `{value}`"), &error))?;
    Ok(true)
}

fn path(name: &str) -> Result<PathBuf, SystemError> {
    let parts: Vec<&str> = if name.contains('/') { name.split('/').collect() } else { name.split('.').collect() };
    let sane = parts.first() == Some(&"net") && parts.iter().all(|part| !matches!(*part, "" | "." | ".."));
    if !sane {
        return Err(SystemError::new(format!("name a setting of a network namespace `{name}`"), Errno::EINVAL));
    }
    // `/proc/sys/net` shows the namespace of the thread that opens it.
    Ok(std::iter::once("/proc/sys").chain(parts).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_paths() {
        assert_eq!(path("net.ipv4.ip_forward").unwrap(), PathBuf::from("/proc/sys/net/ipv4/ip_forward"));
        assert_eq!(
            path("net/ipv4/conf/eth0.7/forwarding").unwrap(),
            PathBuf::from("/proc/sys/net/ipv4/conf/eth0.7/forwarding")
        );
    }

    #[test]
    fn settings_of_the_whole_machine_are_refused() {
        for name in ["kernel.panic", "vm.swappiness", "net", "net/../kernel/panic", "", "net..x"] {
            let error = path(name).err();
            assert!(name == "net" || error.is_some_and(|error| error.errno == Errno::EINVAL), "{name}");
        }
    }

    #[test]
    fn a_setting_can_be_read_here() {
        assert!(matches!(get("net.ipv4.ip_forward").unwrap().as_str(), "0" | "1"));
        let error = get("net.ipv4.no_such_thing").unwrap_err();
        assert!(error.is_missing() && error.to_string().contains("`net.ipv4.no_such_thing`"), "{error}");
    }
}
