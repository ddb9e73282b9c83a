//! Doing something now and then: lines of the log that would come in floods.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Lets something happen once a second at most.
#[derive(Debug)]
pub(crate) struct Sparsely(Mutex<State>);

#[derive(Debug)]
struct State {
    last: Option<Instant>,
    skipped: u64,
}

impl Sparsely {
    const PAUSE: Duration = Duration::from_secs(1);

    pub(crate) const fn new() -> Self {
        Self(Mutex::new(State {
            last: None,
            skipped: 0,
        }))
    }

    /// Runs `action` if it did not run within the last second; it gets how
    /// often it was skipped since.
    pub(crate) fn run(&self, action: impl FnOnce(u64)) {
        if let Some(skipped) = self.is_due(Instant::now()) {
            action(skipped);
        }
    }

    fn is_due(&self, now: Instant) -> Option<u64> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let early = |last| now.saturating_duration_since(last) < Self::PAUSE;
        if state.last.is_some_and(early) {
            state.skipped += 1;
            return None;
        }
        state.last = Some(now);
        Some(std::mem::take(&mut state.skipped))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_one_line_a_second_that_counts_the_others() {
        let sparsely = Sparsely::new();
        let start = Instant::now();
        assert_eq!(sparsely.is_due(start), Some(0));
        for _ in 0..3 {
            assert_eq!(sparsely.is_due(start + Sparsely::PAUSE / 2), None);
        }
        assert_eq!(sparsely.is_due(start + Sparsely::PAUSE), Some(3));
    }
}
