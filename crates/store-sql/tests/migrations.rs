//! Upgrades of a SQLite file that MLflow 2.0 made: nothing is lost, a failure
//! changes nothing, and what cannot be upgraded is named.
//!
//! That the outcome is MLflow's, from every version and on every database, is
//! checked against MLflow itself: `tests/migrations/differential.py`.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot set itself up has failed"
)]

use std::collections::BTreeSet;

use runledger_store_sql::{
    OpenError, SCHEMA_VERSION, SqlStore, StoreOptions, Upgraded, current, plan, upgrade,
};
use rusqlite::Connection;
use tempfile::TempDir;

const MLFLOW_2_0: &str = include_str!("data/mlflow_2_0.sql");
const NEWEST: &str = include_str!("../migrations/sqlite/0001_mlflow_3_17.sql");

/// A file in a folder of its own, with what `sql` makes.
struct Old {
    uri: String,
    db: Connection,
    _folder: TempDir,
}

fn database(sql: &str) -> Old {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mlflow.db");
    let db = Connection::open(&path).unwrap();
    db.execute_batch(sql).unwrap();
    Old {
        uri: format!("sqlite:///{}", path.display()),
        db,
        _folder: folder,
    }
}

fn upgraded(uri: &str) -> Result<Upgraded, OpenError> {
    upgrade(uri, &mut |_| ())
}

fn texts(db: &Connection, sql: &str) -> Vec<String> {
    let mut statement = db.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

/// Tables and columns, indexes and triggers.
fn schema(db: &Connection) -> BTreeSet<String> {
    let sql = "select m.name || ' ' || coalesce(c.name || ' ' || c.type || ' ' || c.\"notnull\", '') \
               from sqlite_master m left join pragma_table_xinfo(m.name) c \
               where m.name not like 'sqlite_%'";
    texts(db, sql).into_iter().collect()
}

#[test]
fn an_old_database_gets_the_newest_schema() {
    let old = database(MLFLOW_2_0);
    let done = upgraded(&old.uri).unwrap();
    assert_eq!(
        (done.from, done.to, done.steps),
        (Some("97727af70f4d"), SCHEMA_VERSION, 48)
    );
    assert_eq!(schema(&old.db), schema(&database(NEWEST).db));
    assert_eq!(upgraded(&old.uri).unwrap().steps, 0);
}

#[test]
fn rows_keep_their_values_and_their_order() {
    let old = database(MLFLOW_2_0);
    let rows = [
        "select \"key\" || value || run_uuid from params order by rowid",
        "select \"key\" || value || step || is_nan from metrics order by rowid",
        "select experiment_id || name || lifecycle_stage from experiments order by rowid",
        "select name || version || run_id from model_versions",
        "select \"key\" || value || name || version from model_version_tags",
        "select \"key\" || value || experiment_id from experiment_tags",
    ];
    let before = rows.map(|sql| texts(&old.db, sql));
    upgraded(&old.uri).unwrap();
    assert_eq!(rows.map(|sql| texts(&old.db, sql)), before);
    assert_eq!(
        texts(&old.db, "select distinct workspace from experiments"),
        ["default"]
    );
    assert!(texts(&old.db, "select \"table\" from pragma_foreign_key_check").is_empty());
}

#[test]
fn indexes_and_triggers_of_others_survive() {
    let old = database(MLFLOW_2_0);
    old.db
        .execute_batch(
            "create index mine on params (value); \
             create trigger mine_too after insert on tags begin delete from params; end; \
             create view over as select * from params join tags using (run_uuid);",
        )
        .unwrap();
    upgraded(&old.uri).unwrap();
    let names = "select name from sqlite_master where name in ('mine', 'mine_too', 'over')";
    assert_eq!(texts(&old.db, names).len(), 3);
}

#[test]
fn a_failure_leaves_the_database_as_it_was() {
    let old = database(MLFLOW_2_0);
    old.db
        .execute_batch("alter table params add column mine TEXT")
        .unwrap();
    let before = texts(
        &old.db,
        "select sql from sqlite_master where sql is not null",
    );
    let error = upgraded(&old.uri).unwrap_err();
    assert!(matches!(error, OpenError::Upgrade { .. }), "{error}");
    let error = error.to_string();
    assert!(
        error.contains("`mine`") && error.contains("as it was"),
        "{error}"
    );
    let after = texts(
        &old.db,
        "select sql from sqlite_master where sql is not null",
    );
    assert_eq!(after, before);
    assert_eq!(current(&old.uri).unwrap().revision, Some("97727af70f4d"));
}

#[test]
fn rows_that_pointed_nowhere_before_are_kept() {
    let old = database(MLFLOW_2_0);
    old.db
        .execute_batch(
            "pragma foreign_keys = off; \
             insert into tags (\"key\", value, run_uuid) values ('k', 'v', 'gone');",
        )
        .unwrap();
    upgraded(&old.uri).unwrap();
    assert_eq!(
        texts(&old.db, "select value from tags where run_uuid = 'gone'"),
        ["v"]
    );
}

#[test]
fn an_upgrade_waits_for_no_other_writer() {
    let old = database(MLFLOW_2_0);
    old.db.execute_batch("begin immediate").unwrap();
    let uri = format!("{}?timeout=0", old.uri);
    let error = upgraded(&uri).unwrap_err();
    assert!(matches!(error, OpenError::Busy { .. }), "{error}");
}

#[test]
fn a_plan_counts_rows_and_changes_nothing() {
    let old = database(MLFLOW_2_0);
    let steps = plan(&old.uri).unwrap().steps;
    assert_eq!(steps.len(), 48);
    let params = steps
        .iter()
        .find(|step| step.revision == "2d6e25af4d3e")
        .unwrap();
    assert_eq!(params.tables, [("params".to_owned(), 2)]);
    let now = current(&old.uri).unwrap();
    assert_eq!((now.steps_behind, now.is_newest), (48, false));
    assert!(plan(&database(NEWEST).uri).unwrap().steps.is_empty());
}

#[test]
fn progress_tells_of_every_step_and_of_large_tables() {
    let old = database(MLFLOW_2_0);
    let mut told = Vec::new();
    upgrade(&old.uri, &mut |now| {
        told.push((now.step, now.of, now.table.map(str::to_owned), now.rows));
    })
    .unwrap();
    let steps: BTreeSet<_> = told.iter().map(|(step, ..)| *step).collect();
    assert_eq!(steps, (1..=48).collect());
    assert!(told.iter().all(|(_, of, ..)| *of == 48));
    assert!(told.contains(&(3, 48, Some("params".to_owned()), Some(2))));
}

#[tokio::test]
async fn an_old_database_is_opened_only_after_an_upgrade() {
    let old = database(MLFLOW_2_0);
    let error = SqlStore::open(&old.uri, StoreOptions::default())
        .await
        .unwrap_err();
    let command = format!("runledger db upgrade {}", old.uri);
    assert!(error.to_string().contains(&command), "{error}");
    upgraded(&old.uri).unwrap();
    SqlStore::open(&old.uri, StoreOptions::default())
        .await
        .unwrap();
}

#[test]
fn an_empty_file_gets_the_newest_schema() {
    let empty = database("");
    let done = upgraded(&empty.uri).unwrap();
    assert_eq!((done.from, done.steps), (None, 1));
    assert_eq!(schema(&empty.db), schema(&database(NEWEST).db));
}

#[test]
fn what_cannot_be_upgraded_is_named() {
    let versioned = |id: &str| {
        database(&format!(
            "create table alembic_version (version_num TEXT); \
             insert into alembic_version values ('{id}')"
        ))
    };
    let newer = upgraded(&versioned("ffffffffffff").uri).unwrap_err();
    assert!(matches!(newer, OpenError::Newer { .. }), "{newer}");
    let older = upgraded(&versioned("451aebb31d03").uri).unwrap_err();
    assert!(matches!(older, OpenError::TooOld { .. }), "{older}");
    let foreign = upgraded(&database("create table t (a)").uri).unwrap_err();
    assert!(matches!(foreign, OpenError::Foreign { .. }), "{foreign}");
    let missing = current("sqlite:////nowhere/mlflow.db").unwrap_err();
    assert!(missing.to_string().contains("no such file"), "{missing}");
}
