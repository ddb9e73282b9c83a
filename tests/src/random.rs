//! Random choices that a printed seed repeats.

use std::time::{SystemTime, UNIX_EPOCH};

/// A generator of the `SplitMix64` kind.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// A generator that gives the same choices for the same seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `bound`, which must not be 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.bits() % bound
    }

    /// One of the items, which must not be empty.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        let index = self.below(items.len() as u64);
        &items[usize::try_from(index).expect("an index of a slice")]
    }
}

/// The seed of this test: the one that `RUNLEDGER_TEST_SEED` names, else a new one. Tests print it.
pub fn seed() -> u64 {
    if let Ok(text) = std::env::var("RUNLEDGER_TEST_SEED") {
        return text.parse().expect("RUNLEDGER_TEST_SEED is a number");
    }
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970");
    now.as_secs() * 1_000_000_000 + u64::from(now.subsec_nanos())
}
