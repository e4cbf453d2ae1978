//! The view of a doctor document.

use super::view::{Block, Cell, Table, View};
use crate::document::doctor::{DoctorResult, EngineRow, GpuRow, KeyRow};
use crate::document::envelope::Envelope;

impl Envelope<DoctorResult> {
    /// The document for people.
    pub fn view(&self) -> View {
        let r = &self.result;
        let mut view = View::new(format!("freehold {} on this machine", self.tool_version));
        let mut table = Table::new(&["what", "found"]);
        let mut line = |what: &str, found: String| table.row([what.into(), found.into()]);
        line("system", format!("{} ({})", r.system, r.target));
        let vectors = r.vectors.as_deref().map_or(String::new(), |v| format!(", {v}"));
        line("processor", format!("{}, {} cores{vectors}", r.cpu, r.cores));
        line("memory", format!("{:.1} GiB", r.memory_bytes as f64 / 1_073_741_824.0));
        for limit in &r.limits {
            line("this process may use", limit.clone());
        }
        for gpu in &r.gpus {
            line("GPU", gpu.found());
        }
        if r.gpus.is_empty() {
            line("GPU", "none found".to_owned());
        }
        if let Some(problem) = &r.nvml_problem {
            line("NVIDIA driver", format!("not asked: {problem}"));
        }
        line(
            "processor energy",
            match r.processor_energy_readable {
                Some(true) => "counters can be read",
                Some(false) => "counters are there but may not be read by this user",
                None => "no counters",
            }
            .to_owned(),
        );
        line("local engine", r.engine.found());
        if r.engine.compiled {
            line(
                "its network",
                match &r.engine.network_left {
                    None => "taken away: its process can open no connection".to_owned(),
                    Some(why) => format!("cannot be taken away: {why}"),
                },
            );
        }
        for backend in &r.engine.left_out {
            line("left out", backend.clone());
        }
        view.push(Block::Table(table));

        view.heading("Keys");
        let (present, absent): (Vec<_>, Vec<_>) = r.keys.iter().partition(|k| k.present);
        let names = |keys: &[&KeyRow]| {
            let all: Vec<&str> = keys.iter().map(|k| k.variable.as_str()).collect();
            if all.is_empty() { "none".to_owned() } else { all.join(", ") }
        };
        view.paragraph(format!("Set: {}. Not set: {}.", names(&present), names(&absent)));

        view.heading("Catalogue");
        let mut table = Table::new(&["records", "#count", "oldest", "#over 90 days"]);
        for kind in &r.catalogue.records {
            table.row([
                kind.kind.as_str().into(),
                Cell::Number(kind.count.into(), kind.count.to_string()),
                kind.oldest.clone().into(),
                Cell::Number(kind.stale.into(), kind.stale.to_string()),
            ]);
        }
        view.push(Block::Table(table));
        if r.catalogue.own_files > 0 {
            view.paragraph(format!("{} files of your own lie over it.", r.catalogue.own_files));
        }
        if !self.warnings.is_empty() {
            view.push(Block::Warnings(self.warnings.clone()));
        }
        view
    }
}

impl GpuRow {
    fn found(&self) -> String {
        let mut parts = vec![self.name.clone()];
        parts.extend(self.memory_bytes.map(|b| format!("{:.1} GiB", b as f64 / 1_073_741_824.0)));
        parts.extend(self.driver.as_ref().map(|d| format!("driver {d}")));
        parts.extend(
            self.power_readable.map(|yes| {
                if yes { "power can be read".to_owned() } else { "power cannot be read".to_owned() }
            }),
        );
        parts.push(match &self.record {
            Some(id) => format!("in the catalogue as {id}"),
            None => "not in the catalogue".to_owned(),
        });
        parts.join(", ")
    }
}

impl EngineRow {
    fn found(&self) -> String {
        if !self.compiled {
            return "not built in: `bench` measures servers and APIs only".to_owned();
        }
        if let Some(problem) = &self.problem {
            return format!("built in, but does not start: {problem}");
        }
        let version = self.version.as_deref().map_or(String::new(), |v| format!(", {v}"));
        let with = if self.backends_beside {
            format!("with the backends beside it: {}", self.backends.join(", "))
        } else if self.accelerations.is_empty() {
            "built for processor only".to_owned()
        } else {
            format!("built for {}", self.accelerations.join(", "))
        };
        let seen = if self.devices.is_empty() {
            String::new()
        } else {
            format!("; it sees {}", self.devices.join(", "))
        };
        format!("llama.cpp{version}, {with}{seen}")
    }
}
