//! How much memory and how many cores this process may use, within the limits of its container or service
//! (control groups), its address space (`ulimit -v`) and its affinity. `doctor` shows it, `fit` predicts
//! for it, and `bench` loads and computes within it.

use std::path::Path;

/// Memory and cores that this process may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowed {
    /// Bytes that this process may use; 0 where the system does not tell.
    pub memory_bytes: u64,
    /// Bytes of memory in the machine.
    pub machine_bytes: u64,
    /// What keeps the process below the machine's memory; `None` where nothing does.
    pub memory_limit: Option<&'static str>,
    /// Physical cores that this process may use.
    pub cores: usize,
    /// Physical cores of the machine.
    pub machine_cores: usize,
}

impl Allowed {
    /// For each of memory and cores that is limited, a sentence that says so.
    pub fn notes(&self) -> impl Iterator<Item = String> + use<> {
        const GIB: f64 = 1_073_741_824.0;
        let this = *self;
        let memory = this.memory_limit.map(move |limit| {
            let (may, has) = (this.memory_bytes as f64 / GIB, this.machine_bytes as f64 / GIB);
            format!("memory: {may:.1} of {has:.1} GiB, by {limit}")
        });
        let fewer = this.cores < this.machine_cores;
        let cores = fewer.then(|| {
            format!("cores: {} of {}, by its affinity or control group", this.cores, this.machine_cores)
        });
        memory.into_iter().chain(cores)
    }
}

/// What the operating system says that this process may use.
pub fn allowed() -> Allowed {
    let machine_bytes = sysinfo::System::new().map_or(0, |mut system| {
        system.refresh_memory();
        system.total_memory()
    });
    let limits = [(group_bytes(), "its control group"), (address_space(), "its address space (ulimit -v)")];
    let least = limits
        .into_iter()
        .filter_map(|(bytes, what)| Some((bytes?, what)))
        .filter(|(bytes, _)| *bytes < machine_bytes || machine_bytes == 0)
        .min_by_key(|(bytes, _)| *bytes);
    // Affinity and the control group's processors are in this number.
    let threads = crate::threads::available();
    let machine_cores = sysinfo::System::physical_core_count().unwrap_or(threads).max(1);
    Allowed {
        memory_bytes: least.map_or(machine_bytes, |(bytes, _)| bytes),
        machine_bytes,
        memory_limit: least.map(|(_, what)| what),
        cores: machine_cores.min(threads).max(1),
        machine_cores,
    }
}

fn group_bytes() -> Option<u64> {
    if !cfg!(target_os = "linux") {
        return None;
    }
    let groups = std::fs::read_to_string("/proc/self/cgroup").ok()?;
    limit_of(Path::new("/sys/fs/cgroup"), &groups)
}

/// The smallest memory limit, in bytes, of the groups that a process is in and of those above them.
/// `groups` is the content of `/proc/PID/cgroup`, of either version.
fn limit_of(root: &Path, groups: &str) -> Option<u64> {
    let of = |line: &str| -> Option<u64> {
        let mut fields = line.splitn(3, ':');
        let (_, controllers, path) = (fields.next()?, fields.next()?, fields.next()?);
        let (base, file) = match controllers {
            "" => (root.to_owned(), "memory.max"),
            list if list.split(',').any(|c| c == "memory") => (root.join("memory"), "memory.limit_in_bytes"),
            _ => return None,
        };
        let path = Path::new(path.trim_start_matches('/'));
        let inside = path.components().all(|c| matches!(c, std::path::Component::Normal(_)));
        // In a container the path may lead outside of what the container sees: then its own root counts.
        let path = if inside { path } else { Path::new("") };
        path.ancestors().filter_map(|group| limit(&base.join(group).join(file))).min()
    };
    groups.lines().filter_map(of).min()
}

/// Reads the limit of one group, in bytes; `None` where there is none: `max`, or a number near 2^63 in
/// version 1.
fn limit(file: &Path) -> Option<u64> {
    let bytes: u64 = std::fs::read_to_string(file).ok()?.trim().parse().ok()?;
    (bytes < 1 << 60).then_some(bytes)
}

#[cfg(unix)]
fn address_space() -> Option<u64> {
    rustix::process::getrlimit(rustix::process::Resource::As).current
}

#[cfg(not(unix))]
fn address_space() -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_limit_on_the_way_up_counts() {
        let root = tempfile::tempdir().expect("a folder");
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            std::fs::write(path, text).expect("written");
        };
        write("a/memory.max", "4000\n");
        write("a/b/memory.max", "max\n");
        write("memory/x/memory.limit_in_bytes", "9223372036854771712\n");
        write("memory/memory.limit_in_bytes", "7000\n");
        assert_eq!(limit_of(root.path(), "0::/a/b\n"), Some(4000));
        assert_eq!(limit_of(root.path(), "0::/\n"), None);
        assert_eq!(limit_of(root.path(), "4:cpu,cpuacct:/x\n5:memory:/x\n"), Some(7000));
        assert_eq!(limit_of(root.path(), "0::/../../elsewhere\n"), None);
        let here = allowed();
        assert!(
            here.cores >= 1 && here.cores <= here.machine_cores && here.memory_bytes <= here.machine_bytes
        );
    }
}
