//! The device that runs a local model: its energy, its throttling, who else uses it, and whether the model
//! file was in the page cache.

use crate::cli::context::Context;
use crate::document::bench::build::TargetFacts;
use crate::document::bench::engine::EnergyFacts;
use crate::measure::backend::local::{LocalBackend, LocalInfo};
use crate::measure::energy::{self, Meter};
use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::Duration;

/// How long the idle power is measured.
const IDLE: Duration = Duration::from_secs(3);
/// Where Linux shows the processors.
const PROCESSORS: &str = "/sys/devices/system/cpu";

/// How many times the processor had throttled before a target ran; `None`: the system does not tell.
#[derive(Debug, Default)]
pub struct Throttling {
    before: Option<u64>,
}

/// The devices of this run, locked until it ends so that another run notices, by name.
pub type Locks = BTreeMap<String, Lock>;

/// Gives the worker an energy meter, and measures the power of the loaded but idle model.
pub async fn attach(
    backend: &mut LocalBackend,
    facts: &mut TargetFacts,
    locks: &mut Locks,
    context: &Context,
) -> Throttling {
    for name in device_names(backend.info()) {
        let held = locks.entry(name.clone()).or_insert_with(|| lock(context.folders.cache(), &name));
        if matches!(held, Lock::Theirs) {
            let text = format!(
                "another freehold run is using {name}: both will measure too low a speed and too much energy"
            );
            context.note(&format!("warning: {text}"));
            facts.remarks.push(text);
        }
    }
    facts.energy = Some(match meter(backend.info()) {
        Ok(meter) => {
            let mark = meter.mark();
            context.note("Measuring idle power");
            tokio::time::sleep(IDLE).await;
            let idle_watts = meter.since(mark).and_then(energy::Used::watts);
            let found = EnergyFacts {
                origin: Some(meter.origin()),
                scope: Some(meter.scope().to_owned()),
                reason: None,
                idle_watts,
            };
            backend.set_meter(Some(meter));
            found
        }
        Err(reason) => EnergyFacts { reason: Some(reason), ..EnergyFacts::default() },
    });
    Throttling { before: energy::throttle_events(Path::new(PROCESSORS)) }
}

/// Adds to the facts what is known only at the end.
pub fn finish(throttling: &Throttling, backend: &LocalBackend, facts: &mut TargetFacts) {
    if let (Some(meter), Some(energy)) = (backend.meter(), &mut facts.energy) {
        energy.reason = meter.problem();
        facts.remarks.extend(meter.remarks());
    }
    if let Some(engine) = &mut facts.engine {
        engine.resident_peak_bytes = backend.peak_memory();
    }
    let throttled = throttling.before.zip(energy::throttle_events(Path::new(PROCESSORS)));
    if let Some((before, after)) = throttled
        && after > before
    {
        facts.remarks.push(format!("the processor slowed itself down for heat {} times", after - before));
    }
}

/// An energy meter for the devices that the model really runs on; the error says why there is none.
pub fn meter(info: &LocalInfo) -> Result<Meter, String> {
    let gpus: Vec<_> = info.loaded.devices.iter().filter(|d| d.is_gpu).collect();
    let Some(first) = gpus.first() else {
        return Meter::start(energy::processor(Path::new(energy::POWERCAP))?);
    };
    if !first.backend.eq_ignore_ascii_case("cuda") || gpus.iter().any(|g| g.description != first.description)
    {
        return Err(format!("only NVIDIA GPUs of one kind can be read, and this is {}", first.description));
    }
    Meter::start(energy::nvidia(&first.description, gpus.len())?)
}

fn device_names(info: &LocalInfo) -> Vec<String> {
    info.loaded.devices.iter().map(|d| d.name.clone()).collect()
}

/// Who measures on a device.
#[derive(Debug)]
pub enum Lock {
    /// This run; closing the file releases the lock.
    Ours(#[allow(dead_code, reason = "held, not read")] File),
    Theirs,
    /// It is not known, and a measurement does not fail for that.
    Unknown,
}

/// Locks a device of this machine, for all who share the cache folder.
fn lock(cache: Option<&Path>, device: &str) -> Lock {
    let Some(cache) = cache else { return Lock::Unknown };
    let name: String = device.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let folder = cache.join("locks");
    let open = || {
        std::fs::create_dir_all(&folder)?;
        File::options().create(true).append(true).open(folder.join(format!("{name}.lock")))
    };
    let Ok(file) = open() else { return Lock::Unknown };
    match file.try_lock() {
        Ok(()) => Lock::Ours(file),
        Err(TryLockError::WouldBlock) => Lock::Theirs,
        Err(TryLockError::Error(_)) => Lock::Unknown,
    }
}

/// Share of the file, 0 to 1, that the system has in the page cache, estimated from 64 pages all over it.
#[cfg(target_os = "linux")]
pub fn cached_share(path: &Path) -> Option<f64> {
    use rustix::io::{Errno, ReadWriteFlags, preadv2};
    const PAGES: u64 = 64;
    let file = File::open(path).ok()?;
    let size = file.metadata().ok()?.len();
    let mut there = 0.0;
    for page in 0..PAGES {
        let mut byte = [0];
        let mut buffers = [std::io::IoSliceMut::new(&mut byte)];
        match preadv2(&file, &mut buffers, size / PAGES * page, ReadWriteFlags::NOWAIT) {
            Ok(_) => there += 1.0,
            Err(Errno::AGAIN) => {}
            Err(_) => return None,
        }
    }
    Some(there / PAGES as f64)
}

#[cfg(not(target_os = "linux"))]
pub fn cached_share(_: &Path) -> Option<f64> {
    None
}

/// Asks the system to drop the file from the page cache; `true` where it did.
#[cfg(target_os = "linux")]
pub fn forget(path: &Path) -> bool {
    let Ok(file) = File::open(path) else { return false };
    // Only pages that are on the disk can be dropped.
    let _ = file.sync_data();
    let _ = rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed);
    cached_share(path).is_some_and(|share| share < 0.1)
}

#[cfg(not(target_os = "linux"))]
pub fn forget(_: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_run_on_a_device_is_noticed() {
        let cache = tempfile::tempdir().expect("a folder");
        let first = lock(Some(cache.path()), "CUDA0");
        assert!(matches!(first, Lock::Ours(_)));
        assert!(matches!(lock(Some(cache.path()), "CUDA0"), Lock::Theirs));
        assert!(matches!(lock(Some(cache.path()), "CUDA1"), Lock::Ours(_)));
        drop(first);
        assert!(matches!(lock(Some(cache.path()), "CUDA0"), Lock::Ours(_)));
        assert!(matches!(lock(Some(Path::new("/dev/null")), "CUDA0"), Lock::Unknown));
        assert!(matches!(lock(None, "CUDA0"), Lock::Unknown));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_file_just_written_is_in_memory() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), vec![1; 1 << 20]).expect("written");
        // Some file systems cannot tell; none may say that the file is not there.
        assert!(cached_share(file.path()).is_none_or(|share| share > 0.9));
        assert_eq!(cached_share(Path::new("/does/not/exist")), None);
    }
}
