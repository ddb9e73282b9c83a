//! What the servers promised to all writers, and whether the database keeps it.

use std::collections::{BTreeMap, BTreeSet};

use crate::database::Database;
use crate::writers::{BATCH_PARAMS, BATCH_TAGS, Outcome, Point, Write};

type Place = (String, String);

/// Values of one place that were acknowledged, in the writer's order, and those that may be there.
#[derive(Debug, Default)]
struct Values {
    promised: Vec<String>,
    possible: BTreeSet<String>,
}

/// All writes of all writers.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    counts: BTreeMap<&'static str, usize>,
    /// Ids that were given out for a name.
    experiments: BTreeMap<String, Vec<String>>,
    runs: BTreeMap<String, Values>,
    points: BTreeSet<(String, Point)>,
    possible_points: BTreeSet<(String, Point)>,
    params: BTreeMap<Place, Values>,
    tags: BTreeMap<Place, Values>,
    /// Batches that nobody answered: run, name, points.
    doubtful: Vec<(String, String, Vec<Point>)>,
}

impl Ledger {
    pub(crate) fn of(written: &[(Write, Outcome)]) -> Self {
        let mut ledger = Self::default();
        for (write, outcome) in written {
            let name = match outcome {
                Outcome::Done(_) => "acknowledged",
                Outcome::Refused => "refused",
                Outcome::Unknown => "unanswered",
                Outcome::Unavailable => "unavailable",
            };
            *ledger.counts.entry(name).or_default() += 1;
            if *outcome != Outcome::Refused {
                ledger.take(write, outcome);
            }
        }
        ledger
    }

    pub(crate) fn summary(&self) -> String {
        format!("writes: {:?}", self.counts)
    }

    fn take(&mut self, write: &Write, outcome: &Outcome) {
        let done = matches!(outcome, Outcome::Done(_));
        match write {
            Write::Experiment { name } => {
                let ids = self.experiments.entry(name.clone()).or_default();
                if let Outcome::Done(Some(id)) = outcome {
                    ids.push(id.clone());
                }
            }
            Write::Run { name } => {
                let values = self.runs.entry(name.clone()).or_default();
                if let Outcome::Done(Some(id)) = outcome {
                    values.promised.push(id.clone());
                }
            }
            Write::Metric { run, point } => self.point(run, point, done),
            Write::Param { run, key, value } => note(&mut self.params, run, key, value, done),
            Write::Tag { run, key, value } => note(&mut self.tags, run, key, value, done),
            Write::Batch { run, name, points } => {
                for point in points {
                    self.point(run, point, done);
                }
                for n in 0..BATCH_PARAMS {
                    note(&mut self.params, run, &format!("{name}.p{n}"), name, done);
                }
                for n in 0..BATCH_TAGS {
                    note(&mut self.tags, run, &format!("{name}.t{n}"), name, done);
                }
                if !done {
                    self.doubtful
                        .push((run.clone(), name.clone(), points.clone()));
                }
            }
        }
    }

    fn point(&mut self, run: &str, point: &Point, done: bool) {
        let entry = (run.to_owned(), point.clone());
        if done {
            self.points.insert(entry.clone());
        }
        self.possible_points.insert(entry);
    }

    /// Compares everything with what the database holds.
    pub(crate) fn check(&self, database: &Database) {
        assert!(
            self.counts.get("acknowledged").copied().unwrap_or(0) > 1000,
            "too little was written to prove anything"
        );
        self.check_names(database);
        let points = self.check_points(database);
        let params = database.pairs("params");
        let tags = database.pairs("tags");
        check_values("param", &params, &self.params, true);
        check_values("tag", &tags, &self.tags, false);
        for (run, name, batch) in &self.doubtful {
            let parts = (0..BATCH_PARAMS)
                .filter(|n| params.contains_key(&(run.clone(), format!("{name}.p{n}"))))
                .count()
                + (0..BATCH_TAGS)
                    .filter(|n| tags.contains_key(&(run.clone(), format!("{name}.t{n}"))))
                    .count()
                + batch
                    .iter()
                    .filter(|point| points.contains(&(run.clone(), (*point).clone())))
                    .count();
            let whole = batch.len() as u64 + BATCH_PARAMS + BATCH_TAGS;
            assert!(
                parts == 0 || parts as u64 == whole,
                "{parts} of {whole} parts of batch {name} are there"
            );
        }
    }

    fn check_names(&self, database: &Database) {
        let mut experiments = database.ids_by_name("experiments");
        experiments.remove("Default");
        experiments.remove("races");
        assert_eq!(
            experiments.keys().collect::<Vec<_>>(),
            self.experiments.keys().collect::<Vec<_>>(),
            "names of experiments"
        );
        for (name, given) in &self.experiments {
            let found = &experiments[name];
            assert_eq!(found.len(), 1, "experiments of the name {name}");
            assert!(
                given.is_empty() || given == found,
                "experiment {name} is {found:?}, but {given:?} were given out"
            );
        }
        let mut runs = database.ids_by_name("runs");
        runs.retain(|name, _| !name.starts_with("shared-"));
        for (name, values) in &self.runs {
            let found = runs.remove(name).unwrap_or_default();
            if values.promised.is_empty() {
                assert!(found.len() <= 1, "run {name} is there twice: {found:?}");
            } else {
                assert_eq!(found, values.promised, "run {name}");
            }
        }
        assert!(runs.is_empty(), "runs that nobody made: {runs:?}");
    }

    /// Returns all points that are there.
    fn check_points(&self, database: &Database) -> BTreeSet<(String, Point)> {
        let all = database.points();
        let found: BTreeSet<_> = all.iter().cloned().collect();
        assert_eq!(found.len(), all.len(), "points are there twice");
        let lost: Vec<_> = self.points.difference(&found).take(10).collect();
        assert!(lost.is_empty(), "acknowledged points are lost: {lost:?}");
        let strange: Vec<_> = found.difference(&self.possible_points).take(10).collect();
        assert!(strange.is_empty(), "points that nobody logged: {strange:?}");
        found
    }
}

fn note(values: &mut BTreeMap<Place, Values>, run: &str, key: &str, value: &str, done: bool) {
    let place = values.entry((run.to_owned(), key.to_owned())).or_default();
    if done {
        place.promised.push(value.to_owned());
    } else {
        place.possible.insert(value.to_owned());
    }
}

/// Compares values by run and key. What is written once has one value for ever.
fn check_values(
    what: &str,
    found: &BTreeMap<Place, String>,
    expected: &BTreeMap<Place, Values>,
    once: bool,
) {
    for (place, values) in expected {
        let value = found.get(place);
        let shared = place.1 == "shared";
        let right = match (value, values.promised.last()) {
            (None, last) => last.is_none(),
            (Some(value), _) if values.possible.contains(value) => true,
            (Some(value), Some(last)) if once => {
                value == last && values.promised.iter().all(|promised| promised == value)
            }
            // The order of several writers is not known.
            (Some(value), Some(_)) if shared => values.promised.contains(value),
            (Some(value), Some(last)) => value == last,
            (Some(_), None) => false,
        };
        assert!(right, "{what} {place:?} is {value:?}: {values:?}");
    }
    let strange: Vec<_> = found
        .keys()
        .filter(|place| !place.1.starts_with("mlflow.") && !expected.contains_key(*place))
        .take(10)
        .collect();
    assert!(strange.is_empty(), "{what}s that nobody wrote: {strange:?}");
}
