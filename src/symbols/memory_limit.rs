//! How much memory this machine, or the container we are in, has.

use std::fs;
use std::path::Path;

/// What is assumed where the system says nothing, in bytes.
const UNKNOWN_BYTES: u64 = 2 << 30;

/// Returns the memory this process may use together with its children, in bytes: the machine's, or less
/// where a control group (version 2 or 1) says so.
pub(crate) fn memory_bytes() -> u64 {
    let machine = fs::read_to_string("/proc/meminfo").ok().and_then(|text| total(&text));
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let limits = group_limits(Path::new("/sys/fs/cgroup"), &groups);
    limits.into_iter().chain(machine).min().unwrap_or(UNKNOWN_BYTES)
}

/// Reads `MemTotal` of `/proc/meminfo`, which is in kB.
fn total(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kilobytes.checked_mul(1024)
}

/// Returns the limits of the groups we are in and of those around them.
///
/// Witness: cgroups(7). Version 2 has the line `0::/path` and `memory.max`, which may be `max`; version 1
/// has `n:memory:/path` and `memory.limit_in_bytes`. In a container the path may be one of the host's
/// that is not visible; the root of the mount is the container's own group then.
fn group_limits(mount: &Path, groups: &str) -> Vec<u64> {
    let mut limits = Vec::new();
    for line in groups.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else { continue };
        let (root, name) = match controllers {
            "" => (mount.to_owned(), "memory.max"),
            "memory" => (mount.join("memory"), "memory.limit_in_bytes"),
            _ => continue,
        };
        let group = root.join(path.trim_start_matches('/'));
        let around = group.ancestors().take_while(|folder| folder.starts_with(&root));
        limits.extend(around.filter_map(|folder| {
            fs::read_to_string(folder.join(name)).ok()?.trim().parse::<u64>().ok()
        }));
    }
    limits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn total_is_read_in_bytes() {
        assert_eq!(
            total("MemFree: 1 kB\nMemTotal:       24689152 kB\n"),
            None.or(Some(24_689_152 << 10))
        );
        assert_eq!(total("nothing"), None);
    }

    #[test]
    fn limits_of_all_groups_around_us_count() {
        let mount = tempfile::tempdir().unwrap();
        let inner = mount.path().join("a/b");
        fs::create_dir_all(&inner).unwrap();
        fs::write(mount.path().join("a/memory.max"), "1000\n").unwrap();
        fs::write(inner.join("memory.max"), "max\n").unwrap();
        assert_eq!(group_limits(mount.path(), "0::/a/b\n"), [1000]);
        assert!(group_limits(mount.path(), "3:cpu:/a\n").is_empty());
    }

    #[test]
    fn version_one_is_read_too() {
        let mount = tempfile::tempdir().unwrap();
        let group = mount.path().join("memory/docker/x");
        fs::create_dir_all(&group).unwrap();
        fs::write(group.join("memory.limit_in_bytes"), "77").unwrap();
        assert_eq!(group_limits(mount.path(), "5:memory:/docker/x"), [77]);
    }

    #[test]
    fn this_machine_has_memory() {
        assert!(memory_bytes() > 64 << 20);
    }
}
