//! Filters and orders on things in memory. The answers for runs were taken from
//! an MLflow 3.17.2 server on SQLite that holds the same six runs.

use runledger_entities::{
    Dataset, DatasetInput, Experiment, ExperimentId, LifecycleStage, Metric, Param, Run, RunData,
    RunId, RunInfo, RunInputs, RunStatus, Tag,
};
use runledger_search::{
    eval::{compare_experiments, compare_runs, experiment_matches, run_matches},
    parse_experiment_filter, parse_experiment_order, parse_run_filter, parse_run_order,
};

/// Name, id, start and end, status.
type Life = (&'static str, &'static str, i64, Option<i64>, RunStatus);
/// Metric `m`, param `p`, tag `t`.
type Logged = (Option<f64>, Option<&'static str>, Option<&'static str>);
/// Name, digest, context.
type Used = (&'static str, &'static str, Option<&'static str>);

fn run((name, id, start_time, end_time, status): Life, logged: Logged, used: &[Used]) -> Run {
    let (metric, param, tag) = logged;
    let mut tags = vec![Tag::new(Tag::RUN_NAME, name)];
    tags.extend(tag.map(|value| Tag::new("t", value)));
    let datasets = used.iter().map(|&(name, digest, context)| DatasetInput {
        tags: context
            .into_iter()
            .map(|context| Tag::new(Tag::DATASET_CONTEXT, context))
            .collect(),
        dataset: Dataset {
            name: name.to_owned(),
            digest: digest.to_owned(),
            ..Dataset::default()
        },
    });
    Run {
        info: RunInfo {
            run_id: RunId::new(id),
            experiment_id: ExperimentId(1),
            run_name: Some(name.to_owned()),
            user_id: "u".to_owned(),
            status,
            start_time,
            end_time,
            artifact_uri: String::new(),
            lifecycle_stage: LifecycleStage::Active,
        },
        data: RunData {
            metrics: metric
                .map(|value| Metric::new("m", value, 1, 0))
                .into_iter()
                .collect(),
            params: param
                .map(|value| Param::new("p", value))
                .into_iter()
                .collect(),
            tags,
        },
        inputs: RunInputs {
            datasets: datasets.collect(),
            models: Vec::new(),
        },
        outputs: Vec::new(),
    }
}

fn runs() -> Vec<Run> {
    use RunStatus::{Failed, Finished, Running};
    vec![
        run(
            ("one", "a", 1000, Some(5000), Finished),
            (Some(-3.25), Some("a"), Some("X")),
            &[("d1", "g1", Some("train"))],
        ),
        run(
            ("two", "b", 2000, None, Running),
            (Some(0.5), Some("B"), Some("x")),
            &[("d1", "g1", Some("eval")), ("d2", "g2", None)],
        ),
        run(
            ("three", "d", 3000, Some(7000), Failed),
            (Some(f64::INFINITY), Some(""), Some("É")),
            &[],
        ),
        run(
            ("four", "c", 3000, None, Running),
            (Some(f64::NAN), None, Some("é")),
            &[("d3", "g1", Some("train"))],
        ),
        run(
            ("five", "e", 4000, Some(6000), Finished),
            (None, Some("a_b"), None),
            &[],
        ),
        run(
            ("six", "f", 5000, None, Running),
            (Some(0.5), Some("it's"), Some("100%")),
            &[("d2", "g9", Some("train"))],
        ),
    ]
}

#[test]
fn runs_match_as_in_mlflow() {
    for (filter, names) in [
        ("metrics.m > -10", "one two three six"),
        ("metrics.m = 0.5", "two six"),
        ("metrics.m != 0.5", "one three four"),
        ("metrics.m < 1e400", "one two three six"),
        ("metrics.m >= 1e308", "three"),
        ("metrics.m = 1e400", ""),
        ("metrics.m < 0", "one"),
        ("params.p = 'a'", "one"),
        ("params.p != 'a'", "two three five six"),
        ("params.p LIKE 'a%'", "one five"),
        ("params.p LIKE 'a_b'", "five"),
        ("params.p ILIKE 'A%'", "one five"),
        ("params.p LIKE 'b'", ""),
        ("params.p ILIKE 'b'", "two"),
        ("params.p IS NULL", "four"),
        ("params.p IS NOT NULL", "one two three five six"),
        ("params.p = ''", "three"),
        ("params.p = \"it's\"", "six"),
        ("tags.t = 'x'", "two"),
        ("tags.t ILIKE 'x'", "one two"),
        ("tags.t ILIKE 'é'", "four"),
        ("tags.t LIKE '100%'", "six"),
        ("tags.t IS NULL", "five"),
        ("run_name LIKE 't%'", "two three"),
        ("run_name != 'one'", "two three four five six"),
        ("status != 'RUNNING'", "one three five"),
        ("status = 'running'", ""),
        ("status ILIKE 'r%'", "two four six"),
        ("start_time > 3000", "five six"),
        ("start_time >= 2999.5", "three four five six"),
        ("start_time = 3000", "three four"),
        ("end_time != 5000", "three five"),
        ("end_time < 6500", "one five"),
        ("dataset.name != 'd1'", "two four six"),
        ("dataset.context = 'train'", "one four six"),
        ("dataset.context != 'train'", "two"),
        ("dataset.digest NOT IN ('g1')", "two six"),
        ("dataset.name = 'd2' AND dataset.digest = 'g1'", "two"),
        ("params.p = 'a' AND params.p = 'B'", ""),
        ("metrics.m > 0 AND tags.t = 'x'", "two"),
        ("run_id NOT IN ('nope') AND metrics.m > 0", "two three six"),
    ] {
        let clauses = parse_run_filter(filter).unwrap();
        let runs = runs();
        let found: Vec<&str> = runs
            .iter()
            .filter(|run| run_matches(run, &clauses))
            .filter_map(|run| run.info.run_name.as_deref())
            .collect();
        assert_eq!(found.join(" "), names, "{filter}");
    }
}

#[test]
fn runs_are_ordered_as_in_mlflow() {
    for (order, names) in [
        (&[][..], "six five four three two one"),
        (&["metrics.m"], "one six two three four five"),
        (&["metrics.m DESC"], "three six two one four five"),
        (&["params.p"], "three two one five six four"),
        (&["params.p DESC"], "six five one two three four"),
        (&["tags.t"], "six one two three four five"),
        (&["tags.t DESC"], "four three two one six five"),
        (&["end_time"], "one five three six four two"),
        (&["end_time DESC"], "three five one six four two"),
        (&["start_time"], "one two four three five six"),
        (&["status", "metrics.m DESC"], "three one five six two four"),
        (&["run_name DESC"], "two three six one four five"),
        (&["metrics.nope"], "six five four three two one"),
    ] {
        let clauses: Vec<String> = order.iter().map(|&clause| clause.to_owned()).collect();
        let keys = parse_run_order(&clauses).unwrap();
        let mut runs = runs();
        runs.sort_by(|a, b| compare_runs(a, b, &keys));
        let found: Vec<&str> = runs
            .iter()
            .filter_map(|run| run.info.run_name.as_deref())
            .collect();
        assert_eq!(found.join(" "), names, "{order:?}");
    }
}

fn experiments() -> Vec<Experiment> {
    let experiment = |id, name: &str, creation_time, tags| Experiment {
        experiment_id: ExperimentId(id),
        name: name.to_owned(),
        artifact_location: String::new(),
        lifecycle_stage: LifecycleStage::Active,
        creation_time,
        last_update_time: Some(1),
        tags,
    };
    vec![
        experiment(1, "b", Some(10), vec![Tag::new("t", "x")]),
        experiment(2, "a", Some(20), vec![]),
        experiment(10, "B", Some(20), vec![Tag::new("t", "y")]),
        experiment(3, "c", None, vec![]),
    ]
}

#[test]
fn experiments_match() {
    for (filter, ids) in [
        ("name ILIKE 'b'", "1 10"),
        ("experiment_id = '1'", "1"),
        ("experiment_id NOT IN ('1', '10')", "2 3"),
        ("experiment_id = '99999999999999999999'", ""),
        ("creation_time >= 20", "2 10"),
        ("tags.t != 'x'", "10"),
        ("tags.t IS NULL", "2 3"),
    ] {
        let clauses = parse_experiment_filter(filter).unwrap();
        let found: Vec<String> = experiments()
            .iter()
            .filter(|experiment| experiment_matches(experiment, &clauses))
            .map(|experiment| experiment.experiment_id.to_string())
            .collect();
        assert_eq!(found.join(" "), ids, "{filter}");
    }
}

#[test]
fn experiments_are_ordered() {
    for (order, ids) in [
        (&[][..], "2 10 1 3"),
        (&["creation_time DESC"], "10 2 1 3"),
        (&["creation_time"], "1 10 2 3"),
        (&["name"], "10 2 1 3"),
        (&["experiment_id"], "1 2 3 10"),
        (&["last_update_time", "name DESC"], "3 1 2 10"),
    ] {
        let clauses: Vec<String> = order.iter().map(|&clause| clause.to_owned()).collect();
        let keys = parse_experiment_order(&clauses).unwrap();
        let mut experiments = experiments();
        experiments.sort_by(|a, b| compare_experiments(a, b, &keys));
        let found: Vec<String> = experiments
            .iter()
            .map(|experiment| experiment.experiment_id.to_string())
            .collect();
        assert_eq!(found.join(" "), ids, "{order:?}");
    }
}
