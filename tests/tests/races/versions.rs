//! Version numbers of a registered model, which no two servers may give twice.

use runledger_e2e::model_versions;

use crate::database::Database;
use crate::servers::Servers;

#[test]
fn two_servers_number_the_versions_of_one_model_without_gaps_or_doubles() {
    let database = Database::new("versions");
    let servers = Servers::start(2, &database.uri);
    model_versions::are_numbered_once(&[servers.address(0), servers.address(1)], 50);
}
