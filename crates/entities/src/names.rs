//! Random names for runs and models that come without one.
//!
//! The form is MLflow's: `adjective-noun-number`, at most 20 characters.

const ADJECTIVES: &[&str] = &[
    "able", "amber", "ample", "bold", "brave", "brisk", "calm", "clean", "clear", "clever",
    "cosmic", "crisp", "daring", "deep", "eager", "early", "fair", "fancy", "fast", "fine",
    "fresh", "gentle", "glad", "golden", "grand", "happy", "honest", "humble", "keen", "kind",
    "lively", "loyal", "lucky", "merry", "mild", "modest", "neat", "noble", "open", "polite",
    "proud", "quick", "quiet", "rapid", "rare", "ready", "rich", "robust", "sharp", "silent",
    "smart", "smooth", "solid", "steady", "stoic", "sunny", "swift", "tidy", "vast", "warm",
    "wise", "witty", "young", "zesty",
];

const NOUNS: &[&str] = &[
    "ant", "auk", "bass", "bat", "bear", "bee", "boar", "calf", "carp", "cat", "chimp", "cod",
    "colt", "crab", "crane", "crow", "deer", "dog", "dove", "duck", "eel", "elk", "ewe", "fawn",
    "finch", "fish", "fly", "foal", "fowl", "fox", "frog", "goat", "goose", "grouse", "gull",
    "hare", "hawk", "hen", "hog", "horse", "jay", "koi", "lamb", "lark", "loon", "lynx", "mare",
    "mink", "mole", "moth", "mouse", "mule", "newt", "owl", "perch", "quail", "ram", "rook",
    "seal", "shark", "sheep", "shrew", "shrike", "skunk", "slug", "smelt", "snail", "snipe", "sow",
    "squid", "stag", "stork", "swan", "toad", "trout", "wasp", "whale", "wolf", "worm", "wren",
    "yak", "zebra",
];

/// A random name such as `quick-fox-417`.
pub fn random() -> String {
    let bits = uuid::Uuid::new_v4().as_u128();
    let pick = |list: &[&'static str], shift: u32| {
        let index = (bits >> shift) & 0xffff_ffff;
        list[usize::try_from(index).unwrap_or(0) % list.len()]
    };
    format!(
        "{}-{}-{}",
        pick(ADJECTIVES, 0),
        pick(NOUNS, 32),
        (bits >> 96) % 1000
    )
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_are_short_and_differ() {
        let names: std::collections::HashSet<_> = (0..200).map(|_| super::random()).collect();
        assert!(names.len() > 150);
        assert!(
            names
                .iter()
                .all(|name| name.len() <= 20 && name.split('-').count() == 3)
        );
    }
}
