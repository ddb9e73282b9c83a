//! What the end-to-end tests stand on: the real `runledger` binary in real processes, spoken to over real sockets.
//!
//! It knows the program only from outside: its flags, its HTTP, its signals and `/proc`. The tests are under `tests/`;
//! `bench/` measures the same binary beside other servers.

pub mod api;
pub mod binary;
pub mod http;
pub mod model_versions;
pub mod random;
pub mod server;
