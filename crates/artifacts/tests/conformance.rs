//! Runs the conformance suite on the local repository, or on the storage that
//! `RUNLEDGER_TEST_ARTIFACTS` names by its URI.
//!
//! `cargo xtask test-artifacts` starts emulators and names them.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use libtest_mimic::{Arguments, Trial};
use runledger_artifacts::conformance::{Case, cases};
use runledger_artifacts::{ArtifactRepository, LocalRepository, Storages};

const VARIABLE: &str = "RUNLEDGER_TEST_ARTIFACTS";

fn main() {
    let mut arguments = Arguments::from_args();
    let storage = std::env::var(VARIABLE).ok().filter(|uri| !uri.is_empty());
    let scheme = storage
        .as_deref()
        .and_then(|uri| uri.split_once(':'))
        .map_or("local", |(scheme, _)| scheme)
        .to_owned();
    if storage.is_some() {
        // Emulators serve one request at a time.
        arguments.test_threads.get_or_insert(2);
    }
    let trials = cases().into_iter().map(|case| {
        let storage = storage.clone();
        Trial::test(case.name, move || Ok(run(case, storage.as_deref())?)).with_kind(scheme.clone())
    });
    libtest_mimic::run(&arguments, trials.collect()).exit();
}

fn run(case: Case, storage: Option<&str>) -> Result<(), Box<dyn std::error::Error>> {
    let world = tempfile::tempdir()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let repository: Arc<dyn ArtifactRepository> = match storage {
            None => Arc::new(LocalRepository::new(world.path().join("root"))),
            Some(uri) => {
                let storages = Storages::from_environment(|name| std::env::var(name).ok())?;
                storages.open(&folder(uri, &case)?).await?
            }
        };
        case.run(repository).await?;
        Ok(())
    })
}

/// A folder of the storage that no other run and no other case has.
fn folder(uri: &str, case: &Case) -> Result<String, Box<dyn std::error::Error>> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos();
    let case = case.name.replace("::", "/");
    Ok(format!("{}/{now:x}/{case}", uri.trim_end_matches('/')))
}
