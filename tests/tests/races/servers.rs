//! Server processes on one database, which can be killed and come back at another port.

use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

use runledger_e2e::http::Client;
use runledger_e2e::server::{Home, Server};

pub(crate) struct Servers {
    homes: Vec<Home>,
    running: Vec<Mutex<Option<Server>>>,
    addresses: Vec<Mutex<SocketAddr>>,
}

impl Servers {
    /// Starts `count` servers; the first one makes the tables.
    pub(crate) fn start(count: usize, uri: &str) -> Self {
        let homes: Vec<Home> = (0..count)
            .map(|_| Home::on(uri).expect("a folder"))
            .collect();
        let servers: Vec<Server> = homes.iter().map(Home::start).collect();
        Self {
            homes,
            addresses: servers.iter().map(|s| Mutex::new(s.address())).collect(),
            running: servers.into_iter().map(|s| Mutex::new(Some(s))).collect(),
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.homes.len()
    }

    /// Where a server is, or was a moment ago.
    pub(crate) fn address(&self, index: usize) -> SocketAddr {
        *lock(&self.addresses[index])
    }

    pub(crate) fn client(&self, index: usize) -> Client {
        Client::new(self.address(index))
    }

    pub(crate) fn kill_and_restart(&self, index: usize) {
        let mut running = lock(&self.running[index]);
        running.take().expect("it was started again").kill();
        let server = self.homes[index].start();
        *lock(&self.addresses[index]) = server.address();
        *running = Some(server);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
