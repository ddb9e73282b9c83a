//! Cases: how they are listed, run and reported.

use std::{error::Error, fmt::Write, pin::Pin, sync::Arc, time::Duration};

use libtest_mimic::{Failed, Trial};
use runledger_store::StoreError;

use crate::{Fixture, World};

/// A store that does not answer fails the case instead of stopping the suite.
const TIME_LIMIT: Duration = Duration::from_mins(2);

/// Why a case could not go on. Broken rules are failed assertions instead.
pub(crate) struct Failure(String);

impl Failure {
    pub(crate) fn new(text: String) -> Self {
        Self(text)
    }
}

/// What a case returns.
pub(crate) type Outcome = Result<(), Failure>;

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let mut text = format!("unexpected error: {error}");
        let mut cause = error.source();
        while let Some(inner) = cause {
            // Writing to a string does not fail.
            let _ = write!(text, ": {inner}");
            cause = inner.source();
        }
        Self(text)
    }
}

impl From<tokio::task::JoinError> for Failure {
    fn from(error: tokio::task::JoinError) -> Self {
        Self(format!("a task of the case failed: {error}"))
    }
}

type CaseFuture<'a> = Pin<Box<dyn Future<Output = Outcome> + Send + 'a>>;

/// One rule, as a function to run in a world of its own.
pub(crate) struct Case {
    pub(crate) module: &'static str,
    pub(crate) name: &'static str,
    pub(crate) run: for<'a> fn(&'a World) -> CaseFuture<'a>,
}

impl Case {
    /// The trial of this case on a world of `fixture`.
    pub(crate) fn trial(self, fixture: Arc<dyn Fixture>) -> Trial {
        let module = self
            .module
            .split_once("::")
            .map_or(self.module, |(_, rest)| rest);
        let name = format!("{module}::{}", self.name);
        let kind = fixture.name().to_owned();
        Trial::test(name, move || self.execute(fixture.as_ref())).with_kind(kind)
    }

    fn execute(&self, fixture: &dyn Fixture) -> Result<(), Failed> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        let outcome = runtime.block_on(async {
            let mut world = fixture.fresh().await?;
            world.keeps_infinities = fixture.keeps_infinities();
            world.is_of_files = fixture.is_of_files();
            world.is_behind_a_server = fixture.is_behind_a_server();
            world.longest_experiment_name = fixture.longest_experiment_name();
            match tokio::time::timeout(TIME_LIMIT, (self.run)(&world)).await {
                Ok(Ok(())) => Ok(()),
                Ok(Err(Failure(text))) => Err(Failed::from(text)),
                Err(_) => Err(Failed::from(format!("no answer within {TIME_LIMIT:?}"))),
            }
        });
        // A store that hangs must not make the end of its case hang too.
        runtime.shutdown_timeout(Duration::from_secs(5));
        outcome
    }
}

/// Lists the cases of a file.
macro_rules! cases {
    ($($name:ident),* $(,)?) => {
        pub(crate) fn cases() -> Vec<crate::case::Case> {
            vec![$(crate::case::Case {
                module: module_path!(),
                name: stringify!($name),
                run: |world| Box::pin($name(world)),
            }),*]
        }
    };
}
pub(crate) use cases;
