//! The conformance suite of stores, on the database that `RUNLEDGER_TEST_STORE` names.
//!
//! Without the variable it runs on SQLite, which needs no server. `cargo xtask test-stores` starts the
//! servers, and runs the suite on each.

mod server;
mod sqlite;

use std::{env, process::ExitCode, sync::Arc};

use libtest_mimic::Arguments;
use runledger_store_conformance::{Fixture, trials};
use runledger_store_sql::{StoreOptions, WebhookKey};

use server::{Kind, Server};
use sqlite::Sqlite;

const VARIABLE: &str = "RUNLEDGER_TEST_STORE";

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    match env::var(VARIABLE).as_deref().unwrap_or("sqlite") {
        "sqlite" => {
            let fixture: Arc<dyn Fixture> = Arc::new(Sqlite);
            suite(&arguments, &fixture)
        }
        "postgres" => on_server(&arguments, Kind::Postgres),
        "mariadb" => on_server(&arguments, Kind::Mysql),
        other => panic!("{VARIABLE}={other}: `sqlite`, `postgres` or `mariadb` is known"),
    }
}

fn on_server(arguments: &Arguments, kind: Kind) -> ExitCode {
    let server = Arc::new(Server::from_env(kind));
    let fixture: Arc<dyn Fixture> = Arc::<Server>::clone(&server);
    let code = suite(arguments, &fixture);
    server.clear();
    code
}

fn suite(arguments: &Arguments, fixture: &Arc<dyn Fixture>) -> ExitCode {
    libtest_mimic::run(arguments, trials(fixture)).exit_code()
}

/// How the store of a case is opened: with a key, so that webhooks can have secrets.
fn options() -> StoreOptions {
    let key = WebhookKey::parse("cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=");
    StoreOptions {
        webhook_key: Some(key.expect("a key of 32 bytes")),
        ..StoreOptions::default()
    }
}
