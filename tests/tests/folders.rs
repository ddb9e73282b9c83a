//! Several servers on one `mlruns` folder.

use runledger_e2e::model_versions;
use runledger_e2e::server::{Home, Server};
use tempfile::TempDir;

#[test]
fn two_servers_number_the_versions_of_one_model_without_gaps_or_doubles() {
    let shared = TempDir::new().expect("a folder");
    let uri = format!("file://{}", shared.path().join("mlruns").display());
    let homes = [(); 2].map(|()| Home::on(&uri).expect("a folder"));
    let servers: Vec<_> = homes.iter().map(Home::start).collect();
    let addresses: Vec<_> = servers.iter().map(Server::address).collect();
    model_versions::are_numbered_once(&addresses, 50);
}
