//! The thread that gathers spans and sends them.

use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::mpsc as blocking;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc::error::TryRecvError;
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

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

/// The most spans that may wait, and the longest times, whatever the options say.
const MOST_WAITING: usize = 1 << 20;
const LONGEST: Duration = Duration::from_hours(1);

/// Flushes that may wait.
const FLUSHES: usize = 16;

/// Who asked for everything to be sent, and is told when it is.
type Flush = blocking::SyncSender<()>;

/// Sees to it that spans arrive: when it is dropped, what waits is sent, for as long as
/// [`TraceOptions::shutdown`] says. Keep it until the end of the program.
///
/// ```
/// use runledger::spans::{TraceGuard, TraceOptions, TraceTarget, trace_layer};
/// use tracing_subscriber::layer::SubscriberExt;
/// use tracing_subscriber::util::SubscriberInitExt;
///
/// fn main_of_program(target: TraceTarget) -> Result<(), Box<dyn std::error::Error>> {
///     // Bound to `_` alone, it would be dropped at once.
///     let (layer, _guard) = trace_layer(target, TraceOptions::default())?;
///     tracing_subscriber::registry().with(layer).init();
///     tracing::info_span!("answer").in_scope(|| println!("42"));
///     Ok(())
/// }
/// ```
pub struct TraceGuard {
    flushes: Option<Sender<Flush>>,
    /// Nothing ever comes; it breaks off when the thread has ended.
    thread: Mutex<blocking::Receiver<()>>,
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
        mut options: TraceOptions,
        counters: Arc<Counters>,
    ) -> Result<(Self, Sender<Record>), NotStarted> {
        options.queue = options.queue.clamp(1, MOST_WAITING);
        options.batch = options.batch.clamp(1, MOST_WAITING);
        options.interval = options.interval.min(LONGEST);
        options.shutdown = options.shutdown.min(LONGEST);
        let (spans, received) = mpsc::channel(options.queue);
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
        let (running, thread) = blocking::sync_channel(1);
        thread::Builder::new()
            .name("runledger-spans".to_owned())
            .spawn(move || {
                this_thread_sends();
                runtime.block_on(worker.run());
                drop(running);
            })
            .map_err(NotStarted)?;
        let guard = Self {
            flushes: Some(flushes),
            thread: Mutex::new(thread),
            counters,
            shutdown,
        };
        Ok((guard, spans))
    }

    /// Waits until every span that has ended by now was sent or given up, at most for
    /// [`TraceOptions::shutdown`]; whether that was enough.
    ///
    /// It blocks this thread: in asynchronous code, call it where that may be.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let tracker = runledger::Tracker::open(&uri)?;
    /// # use runledger::entities::ExperimentId;
    /// # use runledger::spans::{TraceOptions, TraceTarget, trace_layer};
    /// # use tracing_subscriber::layer::SubscriberExt;
    /// # let store = std::sync::Arc::clone(tracker.client().traces());
    /// # let target = TraceTarget::store(store, ExperimentId::DEFAULT);
    /// # let (layer, guard) = trace_layer(target, TraceOptions::default())?;
    /// # let subscriber = tracing_subscriber::registry().with(layer);
    /// tracing::subscriber::with_default(subscriber, || {
    ///     tracing::info_span!("answer").in_scope(|| {});
    ///     if !guard.flush() {
    ///         eprintln!("the server is slow: {:?}", guard.counts());
    ///     }
    /// });
    /// # Ok(())
    /// # }
    /// ```
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
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let tracker = runledger::Tracker::open(&uri)?;
    /// # use runledger::entities::ExperimentId;
    /// # use runledger::spans::{TraceOptions, TraceTarget, trace_layer};
    /// # use tracing_subscriber::layer::SubscriberExt;
    /// # let store = std::sync::Arc::clone(tracker.client().traces());
    /// # let target = TraceTarget::store(store, ExperimentId::DEFAULT);
    /// # let (layer, guard) = trace_layer(target, TraceOptions::default())?;
    /// # let subscriber = tracing_subscriber::registry().with(layer);
    /// use runledger::spans::SpanCounts;
    ///
    /// assert_eq!(guard.counts(), SpanCounts::default());
    /// tracing::subscriber::with_default(subscriber, || drop(tracing::info_span!("answer")));
    /// guard.flush();
    /// assert_eq!(guard.counts().sent, 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn counts(&self) -> SpanCounts {
        self.counters.read()
    }
}

impl Drop for TraceGuard {
    fn drop(&mut self) {
        let is_done = self.flush();
        self.flushes = None;
        if is_done {
            // For spans that have ended since. A thread that still waits for its server ends
            // with the program.
            let thread = self
                .thread
                .get_mut()
                .unwrap_or_else(PoisonError::into_inner);
            let _ = thread.recv_timeout(self.shutdown);
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
        let most = self.options.batch;
        let mut batch = Vec::new();
        loop {
            // Also under load, where spans are always there.
            match self.flushes.try_recv() {
                Ok(asked) => self.flush(&mut batch, &asked).await,
                Err(TryRecvError::Empty) => {}
                Err(TryRecvError::Disconnected) => return self.rest(batch).await,
            }
            let mut due = Instant::now() + self.options.interval;
            while batch.len() < most {
                let (before, room) = (batch.len(), most - batch.len());
                tokio::select! {
                    count = self.spans.recv_many(&mut batch, room) => {
                        if count == 0 {
                            return self.serve_flushes(batch).await;
                        }
                        if before == 0 {
                            due = Instant::now() + self.options.interval;
                        }
                    }
                    asked = self.flushes.recv() => match asked {
                        Some(asked) => self.flush(&mut batch, &asked).await,
                        None => return self.rest(batch).await,
                    },
                    () = sleep_until(due), if !batch.is_empty() => break,
                }
            }
            self.send(&mut batch).await;
        }
    }

    /// Sends what has come by now, and says so.
    async fn flush(&mut self, batch: &mut Vec<Record>, asked: &Flush) {
        let mut left = self.spans.len();
        loop {
            self.send(batch).await;
            if left == 0 {
                break;
            }
            let count = self
                .spans
                .recv_many(batch, left.min(self.options.batch))
                .await;
            left = if count == 0 { 0 } else { left - count };
        }
        // Whoever asked may have stopped waiting.
        let _ = asked.try_send(());
    }

    /// The layer is gone: nothing comes any more.
    async fn serve_flushes(&mut self, mut batch: Vec<Record>) {
        self.send(&mut batch).await;
        while let Some(asked) = self.flushes.recv().await {
            let _ = asked.try_send(());
        }
    }

    /// Sends what is left when the guard is gone.
    async fn rest(&mut self, mut batch: Vec<Record>) {
        self.spans.close();
        let end = Instant::now() + self.options.shutdown;
        loop {
            let (count, before) = (batch.len() as u64, self.settled());
            if timeout_at(end, self.send(&mut batch)).await.is_err() {
                let left = count.saturating_sub(self.settled() - before);
                self.counters.failed.fetch_add(left, Ordering::Relaxed);
                return;
            }
            if self.spans.recv_many(&mut batch, self.options.batch).await == 0 {
                return;
            }
        }
    }

    /// How many spans this has sent or given up.
    fn settled(&self) -> u64 {
        let counts = self.counters.read();
        counts.sent + counts.failed
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
