//! The schema that a new database gets: it is whole, and its rules work.
//!
//! That it is MLflow's, column by column, is checked against a database that
//! MLflow made: `tests/conformance/schema_compare.py`.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot set itself up has failed"
)]

use runledger_store_sql::SCHEMA_VERSION;
use rusqlite::{Connection, Error, ErrorCode, ffi};

const SCHEMA: &str = include_str!("../migrations/sqlite/0001_mlflow_3_17.sql");

fn database() -> Connection {
    let db = Connection::open_in_memory().unwrap();
    db.pragma_update(None, "foreign_keys", true).unwrap();
    db.execute_batch(SCHEMA).unwrap();
    db
}

fn names(db: &Connection, kind: &str) -> Vec<String> {
    let sql = "select name from sqlite_master where type = ? and sql is not null order by name";
    let mut statement = db.prepare(sql).unwrap();
    let names = statement.query_map([kind], |row| row.get(0)).unwrap();
    names.collect::<Result<_, _>>().unwrap()
}

fn text(db: &Connection, sql: &str) -> String {
    db.query_one(sql, [], |row| row.get(0)).unwrap()
}

/// Runs statements that a constraint must refuse, and names its kind.
fn refusal(db: &Connection, sql: &str) -> i32 {
    match db.execute_batch(sql) {
        Err(Error::SqliteFailure(failure, _)) if failure.code == ErrorCode::ConstraintViolation => {
            failure.extended_code
        }
        other => panic!("not refused by a constraint: {other:?}"),
    }
}

const RUN: &str = "
    insert into experiments (experiment_id, name, lifecycle_stage) values (1, 'e', 'active');
    insert into runs (run_uuid, status, lifecycle_stage, experiment_id)
    values ('r', 'RUNNING', 'active', 1);";

#[test]
fn everything_of_mlflow_is_there() {
    let db = database();
    let count = |kind| names(&db, kind).len();
    assert_eq!(
        (count("table"), count("index"), count("trigger")),
        (65, 84, 1)
    );
}

#[test]
fn mlflow_recognises_the_version() {
    let db = database();
    assert_eq!(
        text(&db, "select version_num from alembic_version"),
        SCHEMA_VERSION
    );
    assert_eq!(text(&db, "select name from workspaces"), "default");
}

/// SQLite looks at the two sides of a foreign key only when it first needs them.
#[test]
fn foreign_keys_point_at_keys() {
    let db = database();
    for table in names(&db, "table") {
        let sql = format!("delete from {table}");
        db.execute(&sql, [])
            .unwrap_or_else(|error| panic!("{table}: {error}"));
    }
}

#[test]
fn a_point_of_a_metric_is_kept_once() {
    let db = database();
    db.execute_batch(RUN).unwrap();
    let point = "insert into metrics (key, value, timestamp, run_uuid) values ('m', 1, 1, 'r')";
    db.execute(point, []).unwrap();
    assert_eq!(refusal(&db, point), ffi::SQLITE_CONSTRAINT_PRIMARYKEY);
    assert_eq!(
        text(&db, "select step || ' ' || is_nan from metrics"),
        "0 0"
    );
}

#[test]
fn unknown_stages_and_statuses_are_refused() {
    let db = database();
    db.execute_batch(RUN).unwrap();
    for change in [
        "update runs set lifecycle_stage = 'gone'",
        "update runs set status = 'DONE'",
        "update runs set source_type = 'CLOUD'",
        "update experiments set lifecycle_stage = 'gone'",
    ] {
        assert_eq!(
            refusal(&db, change),
            ffi::SQLITE_CONSTRAINT_CHECK,
            "{change}"
        );
    }
}

#[test]
fn a_name_is_unique_within_its_workspace() {
    let db = database();
    db.execute_batch(RUN).unwrap();
    let again = "insert into experiments (name) values ('e')";
    assert_eq!(refusal(&db, again), ffi::SQLITE_CONSTRAINT_UNIQUE);
    db.execute(
        "insert into experiments (name, workspace) values ('e', 'other')",
        [],
    )
    .unwrap();
}

#[test]
fn a_run_needs_its_experiment() {
    let db = database();
    let orphan = "insert into runs (run_uuid, experiment_id) values ('r', 1)";
    assert_eq!(refusal(&db, orphan), ffi::SQLITE_CONSTRAINT_FOREIGNKEY);
}

#[test]
fn renaming_a_registered_model_renames_what_belongs_to_it() {
    let db = database();
    db.execute_batch(
        "insert into registered_models (name) values ('old');
         insert into model_versions (name, version) values ('old', 1);
         insert into model_version_tags (key, name, version) values ('k', 'old', 1);
         insert into registered_model_aliases (alias, name, version) values ('a', 'old', 1);
         update registered_models set name = 'new';",
    )
    .unwrap();
    assert_eq!(text(&db, "select name from model_version_tags"), "new");
    assert_eq!(
        text(&db, "select name from registered_model_aliases"),
        "new"
    );
}

#[test]
fn a_span_knows_its_duration() {
    let db = database();
    db.execute_batch(RUN).unwrap();
    db.execute_batch(
        "insert into trace_info (request_id, experiment_id, timestamp_ms, status)
         values ('tr', 1, 1, 'OK');
         insert into spans (trace_id, experiment_id, span_id, status, start_time_unix_nano,
             end_time_unix_nano, content)
         values ('tr', 1, 's', 'OK', 5, 12, '{}');",
    )
    .unwrap();
    assert_eq!(
        text(&db, "select cast(duration_ns as text) from spans"),
        "7"
    );
    db.execute("delete from trace_info", []).unwrap();
    assert_eq!(text(&db, "select cast(count(*) as text) from spans"), "0");
}

#[test]
fn a_secret_keeps_its_name() {
    let db = database();
    db.execute_batch(
        "insert into secrets (secret_id, secret_name, encrypted_value, wrapped_dek, kek_version,
             masked_value, created_at, last_updated_at)
         values ('id', 'name', x'00', x'00', 1, '***', 1, 1);",
    )
    .unwrap();
    let renaming = "update secrets set secret_name = 'other'";
    assert_eq!(refusal(&db, renaming), ffi::SQLITE_CONSTRAINT_TRIGGER);
    db.execute("update secrets set masked_value = '*'", [])
        .unwrap();
}
