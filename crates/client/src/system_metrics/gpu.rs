//! NVIDIA's graphics cards, asked through the library of their driver where that is there.

use nvml_wrapper::{Device, Nvml};

use super::machine::{Sample, megabytes, named, percentage};

/// The cards of this machine.
pub(super) struct Cards {
    library: Option<Nvml>,
}

impl Cards {
    pub(super) fn find() -> Self {
        let library = Nvml::init();
        if let Err(error) = &library {
            tracing::debug!(%error, "no graphics cards are measured");
        }
        Self {
            library: library.ok(),
        }
    }

    /// What each card can tell.
    pub(super) fn sample(&self) -> Sample {
        let Some(library) = &self.library else {
            return Sample::new();
        };
        let count = library.device_count().unwrap_or_default();
        let cards = (0..count).filter_map(|n| Some((n, library.device_by_index(n).ok()?)));
        cards.flat_map(|(n, card)| of_card(n, &card)).collect()
    }
}

fn of_card(n: u32, card: &Device<'_>) -> Sample {
    let mut sample = Sample::new();
    let mut add = |name: &str, value: f64| sample.push(named(format!("gpu_{n}_{name}"), value));
    if let Ok(used) = card.utilization_rates() {
        add("utilization_percentage", used.gpu.into());
    }
    if let Ok(memory) = card.memory_info() {
        add("memory_usage_megabytes", megabytes(memory.used));
        add(
            "memory_usage_percentage",
            percentage(memory.used, memory.total),
        );
    }
    if let Ok(milliwatts) = card.power_usage() {
        add("power_usage_watts", f64::from(milliwatts) / 1000.0);
        if let Ok(most) = card.enforced_power_limit() {
            add(
                "power_usage_percentage",
                percentage(milliwatts.into(), most.into()),
            );
        }
    }
    sample
}
