//! Runs the conformance suite on the local repository.

use std::sync::Arc;

use libtest_mimic::{Arguments, Trial};
use runledger_artifacts::LocalRepository;
use runledger_artifacts::conformance::{Case, cases};

fn main() {
    let arguments = Arguments::from_args();
    let trials = cases()
        .into_iter()
        .map(|case| Trial::test(format!("local::{}", case.name), move || Ok(run(case)?)));
    libtest_mimic::run(&arguments, trials.collect()).exit();
}

fn run(case: Case) -> Result<(), Box<dyn std::error::Error>> {
    let world = tempfile::tempdir()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()?;
    let repository = LocalRepository::new(world.path().join("root"));
    runtime.block_on(case.run(Arc::new(repository)))?;
    Ok(())
}
