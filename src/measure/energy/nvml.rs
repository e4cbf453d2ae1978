//! NVIDIA GPUs: the driver's total energy counter, or its power reading where a GPU has no counter.

use super::source::{Counter, Origin, Reading, Source};
use nvml_wrapper::Nvml;
use nvml_wrapper::bitmasks::device::ThrottleReasons;

#[derive(Debug)]
struct Gpus {
    nvml: Nvml,
    indices: Vec<u32>,
    name: String,
    counter: bool,
}

/// Energy of the GPUs that run the model: the first `used` of those with this name.
pub fn nvidia(name: &str, used: usize) -> Result<Box<dyn Source>, String> {
    let nvml = Nvml::init().map_err(|e| format!("the NVIDIA driver's library cannot be used: {e}"))?;
    let count = nvml.device_count().map_err(|e| e.to_string())?;
    let named = |index: &u32| nvml.device_by_index(*index).and_then(|d| d.name()).is_ok_and(|n| n == name);
    let indices: Vec<u32> = (0..count).filter(named).collect();
    if indices.len() != used {
        return Err(format!(
            "the driver lists {} GPUs named {name} and {used} of them ran the model; which cannot be told",
            indices.len()
        ));
    }
    let counter = indices
        .iter()
        .all(|index| nvml.device_by_index(*index).and_then(|d| d.total_energy_consumption()).is_ok());
    Ok(Box::new(Gpus { nvml, indices, name: name.to_owned(), counter }))
}

impl Source for Gpus {
    fn origin(&self) -> Origin {
        if self.counter { Origin::NvmlCounter } else { Origin::NvmlPower }
    }
    fn scope(&self) -> String {
        format!("{} × {}, the board; not the rest of the machine", self.indices.len(), self.name)
    }
    fn read(&mut self) -> Result<Reading, String> {
        let devices = self.indices.iter().map(|index| self.nvml.device_by_index(*index));
        // Millijoules and milliwatts.
        let reading = if self.counter {
            devices
                .map(|d| Ok(Counter { joules: d?.total_energy_consumption()? as f64 / 1e3, range: None }))
                .collect::<Result<_, nvml_wrapper::error::NvmlError>>()
                .map(Reading::Counters)
        } else {
            devices
                .map(|d| Ok(f64::from(d?.power_usage()?) / 1e3))
                .sum::<Result<f64, nvml_wrapper::error::NvmlError>>()
                .map(Reading::Power)
        };
        reading.map_err(|e| format!("the GPU's energy could not be read: {e}"))
    }
    fn remarks(&mut self) -> Vec<String> {
        let mut remarks = Vec::new();
        for index in &self.indices {
            let Ok(device) = self.nvml.device_by_index(*index) else { continue };
            let hot = ThrottleReasons::HW_SLOWDOWN
                | ThrottleReasons::HW_THERMAL_SLOWDOWN
                | ThrottleReasons::SW_THERMAL_SLOWDOWN;
            let capped = ThrottleReasons::SW_POWER_CAP | ThrottleReasons::HW_POWER_BRAKE_SLOWDOWN;
            if let Ok(reasons) = device.current_throttle_reasons() {
                if reasons.intersects(hot) {
                    remarks.push("the GPU lowered its clock because of heat".to_owned());
                }
                if reasons.intersects(capped) {
                    remarks.push("the GPU was at its power limit".to_owned());
                }
            }
            if device.running_compute_processes().is_ok_and(|all| all.len() > 1) {
                remarks.push("another program used the GPU".to_owned());
            }
        }
        remarks
    }
}
