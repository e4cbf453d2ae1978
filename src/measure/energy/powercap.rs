//! The processor's energy counters as Linux shows them: one folder per zone, `energy_uj` counting
//! microjoules up to `max_energy_range_uj`. Intel and AMD processors both appear as `intel-rapl`.

use super::source::{Counter, Origin, Reading, Source};
use std::path::{Path, PathBuf};

/// The folder with the zones.
pub const POWERCAP: &str = "/sys/class/powercap";

#[derive(Debug)]
struct Zone {
    counter: PathBuf,
    range: Option<f64>,
}

#[derive(Debug)]
struct Powercap {
    zones: Vec<Zone>,
    packages: usize,
    memory: bool,
}

/// Energy of the processor packages and, where it has counters of its own, of their memory. `root` is
/// [`POWERCAP`], except in tests.
pub fn processor(root: &Path) -> Result<Box<dyn Source>, String> {
    let shown = root.display();
    let folder = std::fs::read_dir(root)
        .map_err(|_| format!("this system shows no processor energy counters ({shown} is not there)"))?;
    let mut names: Vec<String> = folder.flatten().filter_map(|e| e.file_name().into_string().ok()).collect();
    names.sort();
    let mut found = Powercap { zones: Vec::new(), packages: 0, memory: false };
    for name in names {
        let Some(place) = name.strip_prefix("intel-rapl:") else { continue };
        let folder = root.join(&name);
        let kind = read(&folder.join("name")).unwrap_or_default();
        let is_package = !place.contains(':') && kind.starts_with("package");
        // The package's counter includes cores and graphics, but not memory.
        let is_memory = place.contains(':') && kind == "dram";
        if !(is_package || is_memory) {
            continue;
        }
        let counter = folder.join("energy_uj");
        if let Err(e) = std::fs::read_to_string(&counter) {
            return Err(format!(
                "the processor's energy counter {} cannot be read ({}); the administrator can allow it",
                counter.display(),
                e.kind()
            ));
        }
        let range = read(&folder.join("max_energy_range_uj")).and_then(|text| text.parse().ok());
        found.zones.push(Zone { counter, range: range.map(|uj: f64| uj / 1e6) });
        found.packages += usize::from(is_package);
        found.memory |= is_memory;
    }
    if found.packages == 0 {
        return Err(format!("this processor shows no energy counters in {shown}"));
    }
    Ok(Box::new(found))
}

impl Source for Powercap {
    fn origin(&self) -> Origin {
        Origin::Powercap
    }
    fn scope(&self) -> String {
        let plural = if self.packages == 1 { "" } else { "s" };
        let memory = if self.memory { " and memory" } else { ", without memory" };
        format!("{} processor package{plural}{memory}; not the rest of the machine", self.packages)
    }
    fn read(&mut self) -> Result<Reading, String> {
        let counters = self.zones.iter().map(|zone| {
            let microjoules: f64 = read(&zone.counter)
                .and_then(|text| text.parse().ok())
                .ok_or_else(|| format!("{} could no longer be read", zone.counter.display()))?;
            Ok(Counter { joules: microjoules / 1e6, range: zone.range })
        });
        counters.collect::<Result<_, String>>().map(Reading::Counters)
    }
}

/// How many times the processor has slowed itself down because of heat, on all cores, since the system
/// started. `None`: the system does not tell. `root` is `/sys/devices/system/cpu`.
pub fn throttle_events(root: &Path) -> Option<u64> {
    let cpus = std::fs::read_dir(root).ok()?.flatten();
    let counts = cpus.filter_map(|cpu| {
        read(&cpu.path().join("thermal_throttle/core_throttle_count"))?.parse::<u64>().ok()
    });
    counts.reduce(|a, b| a + b)
}

fn read(path: &Path) -> Option<String> {
    std::fs::read_to_string(path).ok().map(|text| text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::energy::Meter;

    /// A root with these zones: folder, name, microjoules.
    fn root(zones: &[(&str, &str, u64)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().expect("a folder");
        for (folder, name, microjoules) in zones {
            let folder = root.path().join(folder);
            std::fs::create_dir(&folder).expect("made");
            std::fs::write(folder.join("name"), format!("{name}\n")).expect("written");
            std::fs::write(folder.join("energy_uj"), format!("{microjoules}\n")).expect("written");
            std::fs::write(folder.join("max_energy_range_uj"), "1000000000\n").expect("written");
        }
        root
    }

    #[test]
    fn packages_and_memory_count_and_their_parts_do_not() {
        let zones = [
            ("intel-rapl:0", "package-0", 1_000_000),
            ("intel-rapl:0:0", "core", 400_000),
            ("intel-rapl:0:1", "dram", 500_000),
            ("intel-rapl:1", "package-1", 2_000_000),
            ("intel-rapl:2", "psys", 9_000_000),
            ("intel-rapl-mmio:0", "package-0", 1_000_000),
        ];
        let root = root(&zones);
        let mut source = processor(root.path()).expect("readable");
        let Ok(Reading::Counters(counters)) = source.read() else { panic!("counters") };
        let joules: Vec<f64> = counters.iter().map(|c| c.joules).collect();
        assert_eq!((joules, counters[0].range), (vec![1.0, 0.5, 2.0], Some(1000.0)));
        assert!(source.scope().starts_with("2 processor packages and memory"), "{}", source.scope());
    }

    #[test]
    fn a_request_takes_what_the_counter_moved() {
        let root = root(&[("intel-rapl:0", "package-0", 999_000_000)]);
        let meter = Meter::start(processor(root.path()).expect("readable")).expect("reads");
        let mark = meter.mark();
        // The counter starts again from 0 in between.
        std::fs::write(root.path().join("intel-rapl:0/energy_uj"), "1500000\n").expect("written");
        let used = meter.since(mark).expect("trusted");
        assert!((used.joules - 2.5).abs() < 1e-9, "{used:?}");
        std::fs::remove_file(root.path().join("intel-rapl:0/energy_uj")).expect("removed");
        assert_eq!(meter.since(mark), None);
        assert!(meter.problem().expect("said").contains("could no longer be read"));
    }

    #[test]
    fn a_system_without_counters_says_so() {
        let empty = root(&[("intel-rapl:0:0", "core", 1)]);
        assert!(processor(empty.path()).expect_err("none").contains("no energy counters"));
        let nowhere = empty.path().join("nothing");
        assert!(processor(&nowhere).expect_err("none").contains("is not there"));
    }

    #[test]
    fn throttling_is_counted_over_all_cores() {
        let root = tempfile::tempdir().expect("a folder");
        assert_eq!(throttle_events(root.path()), None);
        for (cpu, count) in [("cpu0", "3\n"), ("cpu1", "4\n")] {
            let folder = root.path().join(cpu).join("thermal_throttle");
            std::fs::create_dir_all(&folder).expect("made");
            std::fs::write(folder.join("core_throttle_count"), count).expect("written");
        }
        assert_eq!(throttle_events(root.path()), Some(7));
    }
}
