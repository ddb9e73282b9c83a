//! The schema versions of MLflow since 2.0, and the steps between them.
//!
//! A version is named by the id of MLflow's Alembic revision, which the table
//! `alembic_version` holds. Each has a script per dialect in `migrations/`,
//! which leads to it from the version before: [`super::script`] says how scripts
//! are written. What MLflow does between two versions was read from databases
//! that it had upgraded; `tests/migrations/differential.py` compares the two.

use crate::Dialect;

use super::script::{self, Statement};

/// One schema version.
#[derive(Debug)]
pub(crate) struct Revision {
    /// Alembic's name for it.
    pub(crate) id: &'static str,
    /// What is new in it.
    pub(crate) title: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
    mysql: &'static str,
}

/// The versions after [`OLDEST`], in order. `number` is the place in MLflow's
/// whole chain, and part of the names of the scripts.
macro_rules! revisions {
    ($($number:literal $id:literal $title:literal)*) => {
        &[$(Revision {
            id: $id,
            title: $title,
            sqlite: include_str!(concat!("../../migrations/sqlite/", $number, "_", $id, ".sql")),
            postgres: include_str!(concat!("../../migrations/postgres/", $number, "_", $id, ".sql")),
            mysql: include_str!(concat!("../../migrations/mysql/", $number, "_", $id, ".sql")),
        }),*]
    };
}

/// The version of MLflow 2.0, the oldest that can be upgraded.
pub(crate) const OLDEST: &str = "97727af70f4d";

/// The versions before 2.0.
const BEFORE: &[&str] = &[
    "451aebb31d03",
    "90e64c465722",
    "181f10493468",
    "df50e92ffc5e",
    "7ac759974ad8",
    "89d4b8295536",
    "2b4d017a5e9b",
    "cfd24bdc0731",
    "0a8213491aaa",
    "728d730b5ebd",
    "27a6a02d2cf1",
    "84291f40a231",
    "a8c4a736bde6",
    "39d1c3be5f05",
    "c48cb773bb87",
    "bd07f7e963c5",
    "0c779009ac13",
    "cc1f77228345",
];

/// The steps, in order.
pub(crate) const REVISIONS: &[Revision] = revisions! {
    "20" "3500859a5d39" "aliases of registered models"
    "21" "7f2a7d5fae7d" "datasets and inputs of runs"
    "22" "2d6e25af4d3e" "params of up to 8,000 characters"
    "23" "acf3f17fdcc7" "storage location of model versions"
    "24" "867495a8f9d4" "traces"
    "25" "5b0e9adcef9c" "tags and metadata are deleted with their trace"
    "26" "4465047574b1" "dataset schemas of up to 16 MB"
    "27" "f5a4f2784254" "run tags of up to 8,000 characters"
    "28" "0584bdc529eb" "datasets are deleted with their experiment"
    "29" "400f98739977" "logged models"
    "30" "6953534de441" "step of an input"
    "31" "bda7b8c39065" "model version tags of any length"
    "32" "cbc13b556ace" "previews and client ids of traces"
    "33" "770bee3ae1dd" "assessments"
    "34" "a1b2c3d4e5f6" "spans"
    "35" "de4033877273" "associations between entities"
    "36" "1a0cddfcaa16" "webhooks"
    "37" "534353b11cbc" "scorers"
    "38" "71994744cf8e" "evaluation datasets"
    "39" "3da73c924c2f" "outputs of evaluation records"
    "40" "bf29a5ff90ea" "background jobs"
    "41" "1bd49d398cd23" "secrets and endpoints of the gateway"
    "42" "b7c8d9e0f1a2" "metrics of traces"
    "43" "5d2d30f0abce" "jobs have a name"
    "44" "c9d4e5f6a7b8" "routing of gateway endpoints"
    "45" "2c33131f4dae" "online scoring"
    "46" "d3e4f5a6b7c8" "display names of endpoint bindings"
    "47" "d0e1f2a3b4c5" "experiment of a gateway endpoint"
    "48" "c8d9e0f1a2b3" "metrics and dimensions of spans"
    "49" "1b5f0d9ad7c1" "workspaces"
    "50" "e1f2a3b4c5d6" "budgets"
    "51" "76601a5f987d" "issues"
    "52" "c3d6457b6d8a" "details of a job's status"
    "53" "a5b4c3d2e1f0" "index for metric histories"
    "54" "ae8bbe7743c9" "guardrails"
    "55" "7d34483879f0" "indexes for tags of the registry"
    "56" "da6fb0208061" "archival of traces"
    "57" "89d3d66ed43f" "label schemas"
    "58" "b7e4c1a90f23" "review queues"
    "59" "a8b9c0d1e2f3" "MCP servers"
    "60" "c1d2e3f4a5b6" "index for spans by start time"
    "61" "c3d9e7f1a2b4" "target of a budget"
    "62" "6f8d9c3b2a1e" "traces are deleted with their experiment"
    "63" "1971f2d9a75b" "index for traces by time"
    "64" "17e22815139b" "experiment tags of any length"
    "65" "b7e2c1a4d9f3" "creator of a job"
    "66" "75868b020152" "trace and span numbers in columns of their own"
    "67" "dc11669786a5" "leases and progress of jobs"
};

/// A schema version as a place in the chain: [`OLDEST`] is the first, and a
/// later version is greater.
///
/// What reading a database that has not been upgraded must know, by the version
/// that brought it:
///
/// | since | what |
/// |---|---|
/// | `3500859a5d39` | table `registered_model_aliases` |
/// | `7f2a7d5fae7d` | tables `datasets`, `inputs`, `input_tags` |
/// | `2d6e25af4d3e` | `params.value` up to 8,000 characters (500 before) |
/// | `acf3f17fdcc7` | `model_versions.storage_location` |
/// | `867495a8f9d4` | tables `trace_info`, `trace_tags`, `trace_request_metadata` |
/// | `f5a4f2784254` | `tags.value` up to 8,000 characters (5,000 before) |
/// | `400f98739977` | tables `logged_models`, `logged_model_metrics`, `logged_model_params`, `logged_model_tags` |
/// | `6953534de441` | `inputs.step` |
/// | `cbc13b556ace` | `trace_info.client_request_id`, `request_preview`, `response_preview` |
/// | `770bee3ae1dd` | table `assessments` |
/// | `a1b2c3d4e5f6` | table `spans` |
/// | `1b5f0d9ad7c1` | table `workspaces`; `workspace` in `experiments`, `registered_models`, `model_versions`, their tags and aliases; names are unique in a workspace |
/// | `a5b4c3d2e1f0` | index `index_metrics_run_uuid_key_step`: before it, histories are read through `index_metrics_run_uuid` |
/// | `75868b020152` | names, sessions, token counts and costs as columns of `trace_info` and `spans` |
///
/// All else that experiments, runs, params, metrics and tags need is there from
/// the oldest on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Level(usize);

/// What an id in `alembic_version` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// A version that can be upgraded, or the newest.
    Level(Level),
    /// A version before MLflow 2.0.
    Before,
    /// None that this program knows: a newer one.
    Unknown,
}

impl Level {
    /// The newest version.
    pub(crate) const NEWEST: Self = Self(REVISIONS.len());

    /// What an id stands for.
    pub(crate) fn of(id: &str) -> Known {
        if id == OLDEST {
            return Known::Level(Self(0));
        }
        match REVISIONS.iter().position(|revision| revision.id == id) {
            Some(place) => Known::Level(Self(place + 1)),
            None if BEFORE.contains(&id) => Known::Before,
            None => Known::Unknown,
        }
    }

    /// Whether a version has been reached. `id` is one of [`REVISIONS`].
    pub(crate) fn has(self, id: &str) -> bool {
        matches!(Self::of(id), Known::Level(level) if level <= self)
    }

    /// Alembic's name for it.
    pub(crate) fn id(self) -> &'static str {
        self.last().map_or(OLDEST, |revision| revision.id)
    }

    /// What is new in it.
    pub(crate) fn title(self) -> &'static str {
        self.last().map_or("MLflow 2.0", |revision| revision.title)
    }

    fn last(self) -> Option<&'static Revision> {
        self.0.checked_sub(1).and_then(|place| REVISIONS.get(place))
    }

    /// The steps that lead from here to the newest version.
    pub(crate) fn steps(self) -> &'static [Revision] {
        REVISIONS.get(self.0..).unwrap_or_default()
    }
}

impl Revision {
    /// What has to be done to reach it from the version before.
    pub(super) fn statements(&self, dialect: Dialect) -> Vec<Statement> {
        script::parse(match dialect {
            Dialect::Sqlite => self.sqlite,
            Dialect::Postgres => self.postgres,
            Dialect::Mysql => self.mysql,
        })
    }
}

/// The newest schema, as a script for an empty database.
pub(super) fn newest(dialect: Dialect) -> Vec<Statement> {
    script::parse(match dialect {
        Dialect::Sqlite => include_str!("../../migrations/sqlite/0001_mlflow_3_17.sql"),
        Dialect::Postgres => include_str!("../../migrations/postgres/0001_mlflow_3_17.sql"),
        Dialect::Mysql => include_str!("../../migrations/mysql/0001_mlflow_3_17.sql"),
    })
}

#[cfg(test)]
mod tests {
    use super::{super::script::Effect, *};

    #[test]
    fn the_chain_ends_with_the_newest() {
        assert_eq!(Level::NEWEST.id(), crate::SCHEMA_VERSION);
        assert_eq!(
            Level::of(crate::SCHEMA_VERSION),
            Known::Level(Level::NEWEST)
        );
        assert!(Level::NEWEST.steps().is_empty());
        assert_eq!(Level::of(OLDEST), Known::Level(Level(0)));
        assert_eq!(Level(0).steps().len(), REVISIONS.len());
        assert_eq!(Level::of("451aebb31d03"), Known::Before);
        assert_eq!(Level::of("ffffffffffff"), Known::Unknown);
    }

    #[test]
    fn a_level_has_what_came_before_it() {
        let Known::Level(level) = Level::of("6953534de441") else {
            panic!("not known");
        };
        assert!(level.has("400f98739977") && level.has("6953534de441"));
        assert!(!level.has("1b5f0d9ad7c1"));
    }

    #[test]
    fn scripts_hold_only_what_can_be_run() {
        for revision in REVISIONS {
            for dialect in [Dialect::Sqlite, Dialect::Postgres, Dialect::Mysql] {
                for statement in revision.statements(dialect) {
                    let id = revision.id;
                    match statement {
                        Statement::Rebuild { .. } => assert_eq!(dialect, Dialect::Sqlite, "{id}"),
                        Statement::DropForeignKeys { .. } | Statement::DropUnique { .. } => {
                            assert_ne!(dialect, Dialect::Sqlite, "{id}");
                        }
                        Statement::Call(name) => {
                            assert!(["check_traces", "move_traces"].contains(&name), "{id}");
                        }
                        // On MySQL a statement may run again, so it must be known whether it has.
                        Statement::Sql { text, effect } => assert!(
                            effect != Effect::Other
                                || ["insert", "update", "delete"]
                                    .iter()
                                    .any(|dml| text.starts_with(dml))
                                || dialect != Dialect::Mysql,
                            "{id}: {text}"
                        ),
                    }
                }
            }
        }
    }
}
