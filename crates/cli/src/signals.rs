//! SIGINT and SIGTERM: the first asks for an orderly end, the second for an
//! immediate one.

use std::io;
use std::process;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The two signals that end the program.
#[derive(Debug)]
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// Takes over the signals.
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Waits for the first signal; the next one ends the process at once.
    pub(crate) async fn stop(mut self) {
        self.next().await;
        tracing::info!("finishing what was accepted; a second signal ends at once");
        tokio::spawn(async move {
            self.next().await;
            process::exit(1);
        });
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
