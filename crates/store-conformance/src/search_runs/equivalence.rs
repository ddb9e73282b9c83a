//! Random runs and random searches: the store answers what the evaluation in
//! memory (`runledger_search::eval`) answers.

use std::fmt::Write as _;

use runledger_entities::{ExperimentId, Run, RunStatus, Tag, ViewType};
use runledger_search::{
    DatasetField, NumberOp, Order, RunClause, RunKey, RunNumber, RunText, TextOp, TextTest, eval,
};
use runledger_store::{Batch, NewRun, RunPatch, RunQuery, StoreError};

use crate::{
    World,
    case::{Failure, Outcome, cases},
    clauses::{NUMBER_OPS, TEXT_OPS, metric, number, text},
    random::Random,
    setup::{dataset_input, metrics, new_run, page, params, tags, whole},
};

cases![
    filters_find_what_the_evaluation_in_memory_finds,
    orders_are_those_of_the_evaluation_in_memory,
    pages_of_any_size_are_cut_from_one_order,
];

const SEED: u64 = 0x5EED;
const RUNS: i64 = 60;
const SEARCHES: usize = 400;

// Few keys and values, so that filters hit, miss, and tie.
const KEYS: [&str; 4] = ["k", "K", "a.b/c d", "never"];
const VALUES: [&str; 9] = ["", "a", "A", "ab", "a%", "a_b", r"a\b", "b\na", "ñ日"];
const PATTERNS: [&str; 13] = [
    "", "%", "_", "__", "a%", "A%", "%b", "%a%", "a_", r"a\%", "a%b", "_%_", "%日",
];
const NUMBERS: [f64; 8] = [-1e300, -1.5, 0.0, 1e-9, 0.5, 1.0, 2.0, 1e300];
const USERS: [&str; 3] = ["", "ada", "Bob"];
const STATUSES: [RunStatus; 5] = [
    RunStatus::Running,
    RunStatus::Scheduled,
    RunStatus::Finished,
    RunStatus::Failed,
    RunStatus::Killed,
];

/// An experiment with random runs, and those runs as the store reads them.
async fn random_runs(
    w: &World,
    random: &mut Random,
) -> Result<(ExperimentId, Vec<Run>), StoreError> {
    let e = w.experiment("random").await?;
    let mut runs = Vec::new();
    for _ in 0..RUNS {
        let created = w
            .tracking
            .create_run(NewRun {
                user_id: random.pick(&USERS).to_owned(),
                start_time: i64::from(u8::try_from(random.below(5)).unwrap_or(0)),
                ..new_run(e, random.pick(&["a", "b", "A", "ab"]))
            })
            .await?;
        let run = created.info.run_id;
        w.log(&run, random_batch(random)).await?;
        let inputs = (0..random.below(3))
            .map(|_| {
                let name = random.pick(&VALUES[1..]);
                dataset_input(
                    name,
                    random.pick(&["1", "2"]),
                    random.pick(&["", "train", "test"]),
                )
            })
            .collect();
        w.tracking.log_inputs(&run, inputs, Vec::new()).await?;
        let ended = random.one_in(2);
        // Messages have no end at 0.
        let first_end = i64::from(w.is_behind_a_server);
        let patch = RunPatch {
            status: Some(random.pick(&STATUSES)),
            end_time: ended
                .then(|| first_end + i64::from(u8::try_from(random.below(4)).unwrap_or(0))),
            run_name: None,
        };
        w.tracking.update_run(&run, patch).await?;
        if random.one_in(8) {
            w.tracking.delete_tag(&run, Tag::RUN_NAME).await?;
        }
        runs.push(w.get(&run).await?);
    }
    Ok((e, runs))
}

fn random_batch(random: &mut Random) -> Batch {
    let mut batch = Batch::default();
    for key in &KEYS[..3] {
        if random.one_in(2) {
            let value = random_value(random);
            batch.metrics.extend(metrics(key, &[(value, 1, 0)]));
            // An older point, which no search may see.
            batch.metrics.extend(metrics(key, &[(0.5, 9, -1)]));
        }
        if random.one_in(2) {
            batch.params.extend(params(&[(key, random.pick(&VALUES))]));
        }
        if random.one_in(2) {
            batch.tags.extend(tags(&[(key, random.pick(&VALUES))]));
        }
    }
    batch
}

fn random_value(random: &mut Random) -> f64 {
    match random.below(8) {
        0 => f64::NAN,
        1 => f64::INFINITY,
        2 => f64::NEG_INFINITY,
        _ => random.pick(&NUMBERS),
    }
}

fn random_text(random: &mut Random, values: &[&str], nullable: bool) -> TextTest {
    match random.below(if nullable { 6 } else { 4 }) {
        4 => TextTest::IsNull,
        5 => TextTest::IsNotNull,
        _ => {
            let op = random.pick(&TEXT_OPS);
            let pattern = matches!(op, TextOp::Like | TextOp::ILike) && random.one_in(2);
            text(
                op,
                if pattern {
                    random.pick(&PATTERNS)
                } else {
                    random.pick(values)
                },
            )
        }
    }
}

fn random_list(random: &mut Random, values: &[&str]) -> TextTest {
    TextTest::In {
        negated: random.one_in(2),
        values: (0..=random.below(3))
            .map(|_| random.pick(values).to_owned())
            .collect(),
    }
}

fn random_clause(random: &mut Random, runs: &[Run]) -> RunClause {
    let key = random.pick(&KEYS).to_owned();
    let op: NumberOp = random.pick(&NUMBER_OPS);
    match random.below(8) {
        0 | 1 => metric(&key, op, random.pick(&NUMBERS)),
        2 => RunClause::Param {
            key,
            test: random_text(random, &VALUES, true),
        },
        3 => RunClause::Tag {
            key,
            test: random_text(random, &VALUES, true),
        },
        4 => {
            let ids: Vec<&str> = runs.iter().map(|run| run.info.run_id.as_str()).collect();
            let test = if random.one_in(2) {
                random_list(random, &ids)
            } else {
                random_text(random, &ids, false)
            };
            RunClause::Text {
                attribute: RunText::RunId,
                test,
            }
        }
        5 => {
            let attribute = random.pick(&[
                RunText::RunName,
                RunText::Status,
                RunText::UserId,
                RunText::ArtifactUri,
            ]);
            let values = [
                "a",
                "b",
                "ab",
                "ada",
                "Bob",
                "FINISHED",
                "RUNNING",
                "%/artifacts",
            ];
            let test = random_text(random, &values, false);
            RunClause::Text { attribute, test }
        }
        6 => RunClause::Number {
            attribute: random.pick(&[RunNumber::StartTime, RunNumber::EndTime]),
            test: number(op, random.pick(&[0.0, 1.0, 1.5, 2.0, 3.0, -1.0])),
        },
        _ => {
            let (field, values) = match random.below(3) {
                0 => (DatasetField::Name, &VALUES[..]),
                1 => (DatasetField::Digest, &["1", "2"][..]),
                _ => (DatasetField::Context, &["train", "test"][..]),
            };
            let test = if random.one_in(3) {
                random_list(random, values)
            } else {
                random_text(random, values, false)
            };
            RunClause::Dataset { field, test }
        }
    }
}

fn random_filter(random: &mut Random, runs: &[Run]) -> Vec<RunClause> {
    (0..random.below(4))
        .map(|_| random_clause(random, runs))
        .collect()
}

fn random_order(random: &mut Random) -> Vec<Order<RunKey>> {
    let mut order: Vec<Order<RunKey>> = Vec::new();
    for _ in 0..random.below(4) {
        let key = random.pick(&KEYS).to_owned();
        let key = match random.below(6) {
            0 | 1 => RunKey::Metric(key),
            2 => RunKey::Param(key),
            3 => RunKey::Tag(key),
            4 => RunKey::Text(random.pick(&[
                RunText::RunId,
                RunText::RunName,
                RunText::Status,
                RunText::UserId,
            ])),
            _ => RunKey::Number(random.pick(&[RunNumber::StartTime, RunNumber::EndTime])),
        };
        // The grammar refuses a key that is named twice.
        if !order.iter().any(|order| order.key == key) {
            let descending = random.one_in(2);
            order.push(Order { key, descending });
        }
    }
    order
}

/// The places in `runs` of what the store finds.
async fn places(w: &World, query: RunQuery, runs: &[Run]) -> Result<Vec<usize>, StoreError> {
    let found = w.tracking.search_runs(query).await?;
    Ok(found
        .items
        .iter()
        .filter_map(|found| {
            runs.iter()
                .position(|run| run.info.run_id == found.info.run_id)
        })
        .collect())
}

fn expected(runs: &[Run], filter: &[RunClause], order: &[Order<RunKey>]) -> Vec<usize> {
    let mut places: Vec<usize> = (0..runs.len())
        .filter(|&place| eval::run_matches(&runs[place], filter))
        .collect();
    places.sort_by(|&a, &b| eval::compare_runs(&runs[a], &runs[b], order));
    places
}

fn query(e: ExperimentId, filter: &[RunClause], order: &[Order<RunKey>]) -> RunQuery {
    RunQuery {
        experiment_ids: vec![e],
        view: ViewType::ActiveOnly,
        filter: filter.to_vec(),
        order_by: order.to_vec(),
        page: whole(),
    }
}

async fn filters_find_what_the_evaluation_in_memory_finds(w: &World) -> Outcome {
    let mut random = Random::new(SEED);
    let (e, runs) = random_runs(w, &mut random).await?;
    let mut hits = 0;
    for _ in 0..SEARCHES {
        let mut filter = random_filter(&mut random, &runs);
        let wanted = expected(&runs, &filter, &[]);
        hits += usize::from(!wanted.is_empty() && wanted.len() < runs.len());
        if places(w, query(e, &filter, &[]), &runs).await? == wanted {
            continue;
        }
        // Without the clauses that do not matter, the report is easier to read.
        let mut place = 0;
        while place < filter.len() {
            let mut fewer = filter.clone();
            fewer.remove(place);
            let found = places(w, query(e, &fewer, &[]), &runs).await?;
            if found == expected(&runs, &fewer, &[]) {
                place += 1;
            } else {
                filter = fewer;
            }
        }
        let found = places(w, query(e, &filter, &[]), &runs).await?;
        return Err(difference(
            &runs,
            &filter,
            &found,
            &expected(&runs, &filter, &[]),
        ));
    }
    assert!(
        hits > SEARCHES / 5,
        "only {hits} searches found some runs and left others"
    );
    Ok(())
}

async fn orders_are_those_of_the_evaluation_in_memory(w: &World) -> Outcome {
    let mut random = Random::new(SEED + 1);
    let (e, runs) = random_runs(w, &mut random).await?;
    for _ in 0..SEARCHES {
        let order = random_order(&mut random);
        let found = places(w, query(e, &[], &order), &runs).await?;
        assert_eq!(found, expected(&runs, &[], &order), "{order:?}");
    }
    Ok(())
}

async fn pages_of_any_size_are_cut_from_one_order(w: &World) -> Outcome {
    let mut random = Random::new(SEED + 2);
    let (e, runs) = random_runs(w, &mut random).await?;
    for _ in 0..40 {
        let filter = random_filter(&mut random, &runs);
        let order = random_order(&mut random);
        let size = u32::try_from(1 + random.below(40)).unwrap_or(1);
        let (mut found, mut token) = (Vec::new(), None);
        loop {
            let query = RunQuery {
                page: page(size, token),
                ..query(e, &filter, &order)
            };
            let next = w.tracking.search_runs(query).await?;
            found.extend(next.items.into_iter().map(|run| run.info.run_id));
            token = next.next_token;
            if token.is_none() || found.len() > runs.len() {
                break;
            }
        }
        let wanted: Vec<_> = expected(&runs, &filter, &order)
            .into_iter()
            .map(|place| runs[place].info.run_id.clone())
            .collect();
        assert_eq!(found, wanted, "pages of {size}: {filter:?} by {order:?}");
    }
    Ok(())
}

fn difference(runs: &[Run], filter: &[RunClause], found: &[usize], wanted: &[usize]) -> Failure {
    let mut report = format!("{filter:?}\n");
    for (place, run) in runs.iter().enumerate() {
        let verdict = match (found.contains(&place), wanted.contains(&place)) {
            (true, false) => "found, but should not be",
            (false, true) => "not found, but should be",
            _ => continue,
        };
        // Writing to a string does not fail.
        let _ = writeln!(report, "{verdict}: {run:?}");
    }
    if report.lines().count() == 1 {
        let _ = writeln!(
            report,
            "the same runs in another order: {found:?}, not {wanted:?}"
        );
    }
    Failure::new(report)
}
