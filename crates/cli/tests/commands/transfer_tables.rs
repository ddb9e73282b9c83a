//! `runledger export --format parquet`: tables for analysis.

use std::collections::HashMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use parquet::file::metadata::RowGroupMetaData;
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::record::Field;
use runledger_entities::{Metric, RunId};
use runledger_store::Batch;
use serde_json::{Value, json};

use super::experiments::create;
use super::transfer::{done, fill};
use super::transfer_models;
use super::world::{Kind, World};

type Row = HashMap<String, Field>;

fn open(path: &Path) -> SerializedFileReader<File> {
    SerializedFileReader::new(File::open(path).unwrap()).unwrap()
}

fn rows(path: &Path) -> Vec<Row> {
    let mut rows = Vec::new();
    for row in open(path) {
        let row = row.unwrap();
        let cells = row.get_column_iter();
        rows.push(
            cells
                .map(|(name, cell)| (name.clone(), cell.clone()))
                .collect(),
        );
    }
    rows
}

fn text(row: &Row, name: &str) -> String {
    match &row[name] {
        Field::Str(text) => text.clone(),
        other => panic!("{name}: {other:?}"),
    }
}

fn value(row: &Row) -> f64 {
    match &row["value"] {
        Field::Double(value) => *value,
        other => panic!("{other:?}"),
    }
}

/// The folder of the experiment in an export.
fn folder(world: &World) -> PathBuf {
    let tables = world.path().join("tables");
    tables.read_dir().unwrap().next().unwrap().unwrap().path()
}

const EXPORT: [&str; 7] = [
    "export", "tables", "-n", "moved", "--format", "parquet", "--json",
];

#[test]
fn runs_and_points_become_rows() {
    for world in World::all() {
        let (parent, child) = fill(&world);
        assert_eq!(done(&world.ok(&EXPORT)), [2, 0, 3, 0]);
        assert_eq!(done(&world.ok(&EXPORT)), [2, 0, 3, 0], "as it is now");
        let folder = folder(&world);
        let runs = rows(&folder.join("runs.parquet"));
        assert_eq!(runs.len(), 2);
        let run = runs.iter().find(|row| text(row, "run_id") == parent);
        let run = run.unwrap();
        assert_eq!(text(run, "name"), "parent");
        assert_eq!(text(run, "status"), "FAILED");
        assert_eq!(text(run, "lifecycle_stage"), "active");
        for name in ["start_time", "end_time"] {
            assert!(matches!(run[name], Field::TimestampMillis(time) if time > 0));
        }
        let read = |name| serde_json::from_str::<Value>(&text(run, name)).unwrap();
        assert_eq!(read("params"), json!({"depth": "7"}));
        assert_eq!(read("tags")["team"], "a, b");
        let points = rows(&folder.join(format!("metrics/{parent}.parquet")));
        let [first, second, third] = &points[..] else {
            panic!("{points:?}");
        };
        assert_eq!((value(first), value(third)), (2.0, 1e-7));
        assert!(value(second).is_nan());
        for (step, point) in (0..).zip(&points) {
            assert_eq!(point["step"], Field::Long(step));
            assert_eq!(point["timestamp"], Field::TimestampMillis(1000));
            assert_eq!(point["model_id"], Field::Null);
            assert_eq!(text(point, "key"), "loss");
            assert_eq!(text(point, "run_id"), parent);
        }
        let left = folder.join(format!("metrics/{child}.parquet"));
        assert!(!left.exists(), "it has no metrics");
        assert!(!folder.join("runs").exists() && !folder.join("unfinished").exists());
        let said = world.fails(&["import", "tables"], 1);
        assert!(said.contains("--format parquet"), "{said}");
    }
}

#[test]
fn points_of_models_name_them() {
    let world = World::of(Kind::Database);
    transfer_models::fill(&world);
    world.ok(&EXPORT);
    let metrics = folder(&world).join("metrics");
    let file = metrics.read_dir().unwrap().next().unwrap().unwrap();
    let points = rows(&file.path());
    let point = |key: &str| {
        let mut points = points.iter();
        points.find(|point| text(point, "key") == key).unwrap()
    };
    assert!(text(point("accuracy"), "model_id").starts_with("m-"));
    assert_eq!(text(point("accuracy"), "dataset_name"), "eval");
    assert_eq!(text(point("accuracy"), "dataset_digest"), "d1");
    assert_eq!(point("loss")["model_id"], Field::Null);
}

#[test]
fn a_long_history_is_written_in_groups() {
    let world = World::of(Kind::Database);
    let x = create(&world, "moved");
    let run = RunId::new(world.run(&x, "long"));
    world.ask(async |client| {
        let points = (0..70_000).map(|step| Metric::new("loss", 0.5, step, step));
        let batch = Batch {
            metrics: points.collect(),
            ..Batch::default()
        };
        client.log_batch(&run, batch).await.unwrap();
    });
    assert_eq!(done(&world.ok(&EXPORT)), [1, 0, 70_000, 0]);
    let file = folder(&world).join(format!("metrics/{run}.parquet"));
    let reader = open(&file);
    let groups = reader.metadata().row_groups();
    let sizes: Vec<_> = groups.iter().map(RowGroupMetaData::num_rows).collect();
    assert_eq!(sizes, [65_536, 4464]);
    let last = rows(&file).pop().unwrap();
    assert_eq!(last["step"], Field::Long(69_999));
}

#[test]
fn an_export_of_tables_goes_on_if_it_was_cut_short() {
    let world = World::of(Kind::Folder);
    let (parent, _) = fill(&world);
    world.ok(&EXPORT);
    // An export that was cut short before its first run, and one after all.
    let unfinished = folder(&world).join("unfinished");
    fs::write(&unfinished, "tables\n").unwrap();
    assert_eq!(done(&world.ok(&EXPORT)), [2, 0, 3, 0]);
    fs::write(&unfinished, format!("tables\n{parent} 0\n")).unwrap();
    assert_eq!(done(&world.ok(&EXPORT)), [2, 0, 3, 0], "the run is another");
    // It is no beginning of an export of all.
    fs::write(&unfinished, "tables\n").unwrap();
    let whole = ["export", "tables", "-n", "moved", "--json"];
    assert_eq!(done(&world.ok(&whole)), [2, 0, 3, 2]);
    let other = World::of(Kind::Database);
    let tables = world.path().join("tables");
    let import = ["import", tables.to_str().unwrap(), "--json"];
    assert_eq!(done(&other.ok(&import)), [2, 0, 3, 2]);
}
