//! `runledger db`: the schema of a database, looked at and upgraded.
//!
//! What an upgrade does is `runledger-store-sql`'s; here is how it is told.

mod import;
mod plan;
mod progress;

use std::time::Instant;

use runledger_store_sql::{
    Current, DatabaseUri, OpenError, SCHEMA_VERSION, Upgraded, current, plan as plan_of, upgrade,
};
use serde_json::{Value, json};

pub(crate) use self::import::ImportError;
use self::progress::ProgressReport;
use crate::{
    args::{Database, DbCommand, UpgradeArgs},
    report,
    term::text::counted,
};

/// How a command ended that did what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Well.
    Good,
    /// `db check` found a schema that is not the newest.
    OutOfDate,
}

/// Runs a command.
pub(crate) fn run(command: &DbCommand) -> Result<Outcome, ImportError> {
    match command {
        DbCommand::Import(args) => {
            import::run(args)?;
            Ok(Outcome::Good)
        }
        DbCommand::Current(database) => {
            let (shown, current) = look(database)?;
            if database.json {
                report::json(&json_of(&shown, &current));
            } else {
                report::line(&line_of(&current));
            }
            Ok(Outcome::Good)
        }
        DbCommand::Check(database) => {
            let (shown, current) = look(database)?;
            if database.json {
                report::json(&json_of(&shown, &current));
            } else {
                report::line(&verdict(&shown, &current));
            }
            Ok(if current.is_newest {
                Outcome::Good
            } else {
                Outcome::OutOfDate
            })
        }
        DbCommand::Upgrade(UpgradeArgs { database, dry_run }) => {
            if *dry_run {
                list(database)?;
            } else {
                bring_up(database)?;
            }
            Ok(Outcome::Good)
        }
    }
}

/// The URI as it may be shown, and the schema.
fn look(database: &Database) -> Result<(String, Current), OpenError> {
    let shown = DatabaseUri::parse(&database.uri)?.to_string();
    Ok((shown, current(&database.uri)?))
}

fn list(database: &Database) -> Result<(), OpenError> {
    let (shown, current) = look(database)?;
    let plan = plan_of(&database.uri)?;
    if database.json {
        let steps: Vec<_> = plan.steps.iter().map(plan::json_of).collect();
        report::json(&json!({
            "uri": shown,
            "from": current.revision,
            "to": SCHEMA_VERSION,
            "dry_run": true,
            "steps": steps,
        }));
        return Ok(());
    }
    report::line(&verdict(&shown, &current));
    let steps: Vec<_> = plan.steps.iter().map(plan::Step::from).collect();
    for line in plan::table(&steps) {
        report::line(&line);
    }
    report::line("Nothing was changed.");
    Ok(())
}

fn bring_up(database: &Database) -> Result<(), OpenError> {
    let shown = DatabaseUri::parse(&database.uri)?.to_string();
    let begin = Instant::now();
    let mut progress = ProgressReport::new();
    let upgraded = upgrade(&database.uri, &mut |now| progress.tell(&now));
    progress.end();
    let Upgraded {
        from, to, steps, ..
    } = upgraded?;
    let seconds = begin.elapsed().as_secs_f64();
    if database.json {
        report::json(&json!({
            "uri": shown,
            "from": from,
            "to": to,
            "dry_run": false,
            "steps": steps,
            "seconds": seconds,
        }));
    } else if steps == 0 {
        report::line(&format!("{shown} has the newest schema already, {to}."));
    } else {
        let from = from.unwrap_or("no schema");
        let steps = counted(steps, "step");
        report::line(&format!(
            "{shown} went from {from} to {to} in {steps}, {seconds:.1} s."
        ));
    }
    Ok(())
}

fn json_of(shown: &str, current: &Current) -> Value {
    json!({
        "uri": shown,
        "revision": current.revision,
        "title": current.title,
        "newest": SCHEMA_VERSION,
        "up_to_date": current.is_newest,
        "steps_behind": current.steps_behind,
    })
}

/// The schema in Alembic's name, and what it is.
fn line_of(current: &Current) -> String {
    let revision = current.revision.unwrap_or("none");
    let title = current.title;
    if current.is_newest {
        return format!("{revision} (newest): {title}");
    }
    let behind = counted(current.steps_behind, "step");
    format!("{revision} ({behind} behind {SCHEMA_VERSION}): {title}")
}

/// Whether there is something to do, and what.
fn verdict(shown: &str, current: &Current) -> String {
    let command = upgrade_command(shown);
    let behind = counted(current.steps_behind, "step");
    match current.revision {
        Some(revision) if current.is_newest => {
            format!("{shown} has the newest schema, {revision}.")
        }
        Some(revision) => format!(
            "{shown} has schema {revision}, {behind} behind {SCHEMA_VERSION}: run {command}"
        ),
        None => format!("{shown} has no schema yet: run {command}"),
    }
}

/// The command for a database. A URI whose password is hidden would not do.
fn upgrade_command(shown: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/:@._+-=%,".contains(c);
    if shown.contains("***") {
        "`runledger db upgrade` with its URI".to_owned()
    } else if shown.chars().all(plain) {
        format!("`runledger db upgrade {shown}`")
    } else {
        format!("`runledger db upgrade '{shown}'`")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_to_run_has_no_hidden_password_and_survives_a_shell() {
        assert_eq!(
            upgrade_command("sqlite:///x.db"),
            "`runledger db upgrade sqlite:///x.db`"
        );
        assert_eq!(
            upgrade_command("mysql://h/d?charset=utf8&x=1"),
            "`runledger db upgrade 'mysql://h/d?charset=utf8&x=1'`"
        );
        assert!(!upgrade_command("mysql://u:***@h/d").contains("***"));
    }
}
