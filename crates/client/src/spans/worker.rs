//! The thread that gathers spans and sends them.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc as blocking;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::time::{Instant, sleep, timeout_at};

use super::layer::this_thread_sends;
use super::record::Record;
use super::target::TraceTarget;
use super::{Counters, NotStarted, SpanCounts, TraceOptions, otlp};
use crate::rest::Taken;

/// Attempts of a request, and the pause after the first, which doubles.
const ATTEMPTS: u32 = 6;
const PAUSE: Duration = Duration::from_millis(500);

/// The longest pause, whatever a server asks for.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Bytes of the spans of one request: a quarter of what a server of ours takes.
const REQUEST_BYTES: usize = 8 << 20;

/// Flushes that may wait.
const FLUSHES: usize = 16;

/// Who asked for everything to be sent, and is told when it is.
type Flush = blocking::SyncSender<()>;

/// Sees to it that spans arrive: when it is dropped, what waits is sent, for as long as
/// [`TraceOptions::shutdown`] says. Keep it until the end of the program.
pub struct TraceGuard {
    flushes: Option<Sender<Flush>>,
    thread: Option<JoinHandle<()>>,
    counters: Arc<Counters>,
    shutdown: Duration,
}

impl fmt::Debug for TraceGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TraceGuard").field(&self.counts()).finish()
    }
}

impl TraceGuard {
    pub(super) fn start(
        target: TraceTarget,
        options: TraceOptions,
        counters: Arc<Counters>,
    ) -> Result<(Self, Sender<Record>), NotStarted> {
        let (spans, received) = mpsc::channel(options.queue.max(1));
        let (flushes, asked) = mpsc::channel(FLUSHES);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(NotStarted)?;
        let shutdown = options.shutdown;
        let worker = Worker {
            target,
            options,
            counters: Arc::clone(&counters),
            spans: received,
            flushes: asked,
        };
        let thread = thread::Builder::new()
            .name("runledger-spans".to_owned())
            .spawn(move || {
                this_thread_sends();
                runtime.block_on(worker.run());
            })
            .map_err(NotStarted)?;
        let guard = Self {
            flushes: Some(flushes),
            thread: Some(thread),
            counters,
            shutdown,
        };
        Ok((guard, spans))
    }

    /// Waits until every span that has ended by now was sent or given up, at most for
    /// [`TraceOptions::shutdown`]; whether that was enough.
    ///
    /// It blocks this thread: in asynchronous code, call it where that may be.
    pub fn flush(&self) -> bool {
        let (done, told) = blocking::sync_channel(1);
        let Some(flushes) = &self.flushes else {
            return false;
        };
        // As many flushes at once as this are not worth waiting for.
        if flushes.try_send(done).is_err() {
            return false;
        }
        told.recv_timeout(self.shutdown).is_ok()
    }

    /// What became of the spans so far.
    pub fn counts(&self) -> SpanCounts {
        self.counters.read()
    }
}

impl Drop for TraceGuard {
    fn drop(&mut self) {
        let is_done = self.flush();
        self.flushes = None;
        if let Some(thread) = self.thread.take()
            && is_done
        {
            // It has nothing left to do. One that still waits for its server ends with the program.
            let _ = thread.join();
        }
    }
}

struct Worker {
    target: TraceTarget,
    options: TraceOptions,
    counters: Arc<Counters>,
    spans: Receiver<Record>,
    flushes: Receiver<Flush>,
}

impl Worker {
    async fn run(mut self) {
        let most = self.options.batch.max(1);
        let mut batch = Vec::new();
        loop {
            let mut due = Instant::now() + self.options.interval;
            let mut flush = None;
            while batch.len() < most && flush.is_none() {
                let room = most - batch.len();
                tokio::select! {
                    // What has ended before a flush is sent before it is told.
                    biased;
                    count = self.spans.recv_many(&mut batch, room) => {
                        if count == 0 {
                            // The layer is gone: nothing comes any more.
                            self.send(&mut batch).await;
                            while let Some(asked) = self.flushes.recv().await {
                                let _ = asked.try_send(());
                            }
                            return;
                        }
                        if count == batch.len() {
                            due = Instant::now() + self.options.interval;
                        }
                    }
                    asked = self.flushes.recv() => {
                        let Some(asked) = asked else {
                            self.rest(batch).await;
                            return;
                        };
                        flush = Some(asked);
                    }
                    () = tokio::time::sleep_until(due), if !batch.is_empty() => break,
                }
            }
            self.send(&mut batch).await;
            if let Some(flush) = flush {
                // Whoever asked may have stopped waiting.
                let _ = flush.try_send(());
            }
        }
    }

    /// Sends what is left when the guard is gone.
    async fn rest(&mut self, mut batch: Vec<Record>) {
        self.spans.close();
        let most = self.options.batch.max(1);
        let end = Instant::now() + self.options.shutdown;
        loop {
            self.send(&mut batch).await;
            match timeout_at(end, self.spans.recv_many(&mut batch, most)).await {
                Ok(count) if count > 0 => {}
                _ => return,
            }
        }
    }

    /// Sends a batch, in as many requests as its size asks for; it is empty afterwards.
    async fn send(&self, batch: &mut Vec<Record>) {
        let mut rest = batch.as_slice();
        while let Some((first, others)) = rest.split_first() {
            let mut bytes = first.bytes();
            let mut count = 1;
            for record in others {
                if bytes + record.bytes() > REQUEST_BYTES {
                    break;
                }
                bytes += record.bytes();
                count += 1;
            }
            let (request, later) = rest.split_at(count);
            self.request(request).await;
            self.counters.release(bytes);
            rest = later;
        }
        batch.clear();
    }

    /// Sends one request, and again where that may help.
    async fn request(&self, records: &[Record]) {
        let count = records.len() as u64;
        let body = otlp::request(self.options.service_name.as_deref(), records);
        let body = Bytes::from(body);
        let mut pause = PAUSE;
        for attempt in 1..=ATTEMPTS {
            let (error, asked) = match self.target.send(body.clone()).await {
                Taken::Yes => {
                    self.counters.sent.fetch_add(count, Ordering::Relaxed);
                    return;
                }
                Taken::No(error) => (error, None),
                Taken::Later(error, asked) if attempt < ATTEMPTS => {
                    sleep(asked.unwrap_or(pause).min(LONGEST_PAUSE)).await;
                    pause *= 2;
                    tracing::debug!(%error, attempt, "spans are sent again");
                    continue;
                }
                Taken::Later(error, asked) => (error, asked),
            };
            tracing::warn!(%error, count, ?asked, "spans are given up");
            break;
        }
        self.counters.failed.fetch_add(count, Ordering::Relaxed);
    }
}
