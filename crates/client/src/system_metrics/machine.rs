//! What is used of a machine, by the names and units of MLflow 3.17.

use sysinfo::{Error, Networks, System};

#[cfg(feature = "nvml")]
use super::gpu::Cards;

/// Bytes of MLflow's megabyte.
const MEGABYTE: f64 = 1e6;

/// The machine, with what rates are counted from.
pub(super) struct Machine {
    system: System,
    networks: Networks,
    /// What the network had received and sent at the beginning, in bytes.
    before: (u64, u64),
    #[cfg(feature = "nvml")]
    cards: Cards,
}

/// Measured values by the ends of their names.
pub(super) type Sample = Vec<(String, f64)>;

impl Machine {
    pub(super) fn look() -> Result<Self, Error> {
        let mut system = System::new()?;
        // A share of time needs two looks.
        system.refresh_cpu_usage();
        let networks = Networks::new_with_refreshed_list()?;
        Ok(Self {
            system,
            before: totals(&networks),
            networks,
            #[cfg(feature = "nvml")]
            cards: Cards::find(),
        })
    }

    /// What is used now; of the network, what was since the beginning.
    pub(super) fn sample(&mut self) -> Sample {
        self.system.refresh_cpu_usage();
        self.system.refresh_memory();
        self.networks.refresh(true);
        let (used, total) = (self.system.used_memory(), self.system.total_memory());
        let (received, sent) = totals(&self.networks);
        let mut sample = vec![
            named(
                "cpu_utilization_percentage",
                self.system.global_cpu_usage().into(),
            ),
            named("system_memory_usage_megabytes", megabytes(used)),
            named("system_memory_usage_percentage", percentage(used, total)),
            // A network that went away took its counts with it.
            named(
                "network_receive_megabytes",
                megabytes(received.saturating_sub(self.before.0)),
            ),
            named(
                "network_transmit_megabytes",
                megabytes(sent.saturating_sub(self.before.1)),
            ),
        ];
        sample.extend(disk().into_iter().flatten());
        #[cfg(feature = "nvml")]
        sample.extend(self.cards.sample());
        sample
    }
}

/// The disk that has the root, where it can be asked.
fn disk() -> Option<[(String, f64); 3]> {
    let found = rustix::fs::statvfs("/").ok()?;
    let blocks = |count: u64| count.saturating_mul(found.f_frsize);
    let used = blocks(found.f_blocks.saturating_sub(found.f_bfree));
    // Not what is kept for the system.
    let free = blocks(found.f_bavail);
    Some([
        named(
            "disk_usage_percentage",
            percentage(used, used.saturating_add(free)),
        ),
        named("disk_usage_megabytes", megabytes(used)),
        named("disk_available_megabytes", megabytes(free)),
    ])
}

fn totals(networks: &Networks) -> (u64, u64) {
    networks.values().fold((0, 0), |(received, sent), network| {
        (
            received.saturating_add(network.total_received()),
            sent.saturating_add(network.total_transmitted()),
        )
    })
}

pub(super) fn named(name: impl Into<String>, value: f64) -> (String, f64) {
    (name.into(), value)
}

pub(super) fn megabytes(bytes: u64) -> f64 {
    as_float(bytes) / MEGABYTE
}

pub(super) fn percentage(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        return 0.0;
    }
    as_float(part) / as_float(whole) * 100.0
}

#[expect(
    clippy::cast_precision_loss,
    reason = "the last bytes of petabytes do not count"
)]
fn as_float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_measured_under_the_names_of_mlflow() -> Result<(), Error> {
        let mut machine = Machine::look()?;
        let sample = machine.sample();
        for name in [
            "cpu_utilization_percentage",
            "system_memory_usage_megabytes",
            "system_memory_usage_percentage",
            "disk_usage_percentage",
            "disk_usage_megabytes",
            "disk_available_megabytes",
            "network_receive_megabytes",
            "network_transmit_megabytes",
        ] {
            let found = sample.iter().find(|(found, _)| found == name);
            assert!(
                found.is_some_and(|(_, value)| *value >= 0.0),
                "{name}: {sample:?}"
            );
        }
        for (name, value) in &sample {
            assert!(
                !name.ends_with("percentage") || *value <= 100.0,
                "{name}: {value}"
            );
        }
        let memory = sample
            .iter()
            .find(|(name, _)| name == "system_memory_usage_megabytes");
        assert!(
            memory.is_some_and(|(_, megabytes)| *megabytes > 1.0),
            "{sample:?}"
        );
        Ok(())
    }
}
