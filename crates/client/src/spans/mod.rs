//! Spans of any Rust program, as traces: a layer for `tracing-subscriber`.
//!
//! `layer` turns spans of `tracing` into records, `worker` gathers these and
//! sends them, `target` knows where to, and `otlp` how they are written. What the
//! attributes of a call to a model mean (OpenTelemetry's conventions for generative
//! AI among them) is left to whoever receives them, which knows more dialects.

mod layer;
mod otlp;
mod record;
mod target;
mod worker;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

pub use layer::TraceLayer;
pub use target::TraceTarget;
pub use worker::TraceGuard;

/// How spans are gathered.
///
/// ```
/// use std::time::Duration;
///
/// use runledger::spans::TraceOptions;
///
/// let options = TraceOptions {
///     service_name: Some("shop".to_owned()),
///     interval: Duration::from_millis(200),
///     ..TraceOptions::default()
/// };
/// assert_eq!((options.queue, options.batch), (2048, 512));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceOptions {
    /// What produces the spans, which becomes a tag of their traces (`service.name`).
    pub service_name: Option<String>,
    /// Spans that may wait, up to a million, if they take no more than 64 MiB together. The next ones are
    /// dropped, and counted: the program never waits. 2,048, as in OpenTelemetry's SDKs.
    pub queue: usize,
    /// The most spans of one request, at least 1; fewer if they are large. 512, as in
    /// OpenTelemetry's SDKs.
    pub batch: usize,
    /// How long a span waits for others at most, up to an hour: a second.
    pub interval: Duration,
    /// How long the end of the program waits for what is still to be sent, up to an
    /// hour, and once as long for what came meanwhile: 5 seconds.
    pub shutdown: Duration,
}

impl Default for TraceOptions {
    fn default() -> Self {
        Self {
            service_name: None,
            queue: 2048,
            batch: 512,
            interval: Duration::from_secs(1),
            shutdown: Duration::from_secs(5),
        }
    }
}

/// The thread that sends could not be started.
///
/// ```
/// use runledger::spans::{NotStarted, TraceGuard, TraceOptions, TraceTarget, trace_layer};
/// use tracing_subscriber::layer::SubscriberExt;
/// use tracing_subscriber::util::SubscriberInitExt;
///
/// fn follow(target: TraceTarget) -> Result<TraceGuard, NotStarted> {
///     let (layer, guard) = trace_layer(target, TraceOptions::default())?;
///     tracing_subscriber::registry().with(layer).init();
///     Ok(guard)
/// }
/// ```
#[derive(Debug, thiserror::Error)]
#[error("the thread that sends spans cannot be started: {0}")]
pub struct NotStarted(#[source] std::io::Error);

/// What became of spans.
///
/// ```
/// use runledger::spans::{SpanCounts, TraceGuard};
///
/// fn report(guard: &TraceGuard) {
///     let SpanCounts { sent, dropped, failed } = guard.counts();
///     if dropped + failed > 0 {
///         eprintln!("{sent} spans arrived, and {} did not", dropped + failed);
///     }
/// }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SpanCounts {
    /// Taken by the server or store.
    pub sent: u64,
    /// Dropped, because too many were waiting.
    pub dropped: u64,
    /// Given up, because the server or store refused them or did not answer in time.
    pub failed: u64,
}

/// Bytes that spans which wait may take.
const WAITING_BYTES: usize = 64 << 20;

/// The counts as they are now.
#[derive(Debug, Default)]
struct Counters {
    waiting_bytes: AtomicUsize,
    sent: AtomicU64,
    dropped: AtomicU64,
    failed: AtomicU64,
}

impl Counters {
    /// Takes note of a span that is to wait, if there is room for it.
    fn reserve(&self, bytes: usize) -> bool {
        let before = self.waiting_bytes.fetch_add(bytes, Ordering::Relaxed);
        let fits = before.saturating_add(bytes) <= WAITING_BYTES;
        if !fits {
            self.release(bytes);
        }
        fits
    }

    /// It does not wait any more.
    fn release(&self, bytes: usize) {
        self.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    fn read(&self) -> SpanCounts {
        SpanCounts {
            sent: self.sent.load(Ordering::Relaxed),
            dropped: self.dropped.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
        }
    }
}

/// A layer that sends the spans of this program, and the guard that sees to it that
/// they arrive.
///
/// Each span without a parent begins a trace. Fields are attributes, and events within
/// a span are its events; one of level `ERROR` makes it fail. Some fields say something
/// else, as in `tracing-opentelemetry`: `otel.name`, `otel.kind`, `otel.status_code` and
/// `otel.status_message`. MLflow's own attributes, such as `mlflow.spanType`,
/// `mlflow.spanInputs` and `mlflow.spanOutputs`, and OpenTelemetry's for calls to
/// models, such as `gen_ai.usage.input_tokens`, mean what they mean there.
///
/// The program never waits for the network, and nothing fails in the middle of it: what
/// cannot be sent is dropped and counted ([`TraceGuard::counts`]), and of a span with more
/// than 128 attributes, events or links, or 8 MiB of texts, the rest is left out. Spans that a server may have got
/// already are sent again, which keeps them once.
///
/// # Errors
/// [`NotStarted`] if there can be no thread to send from.
///
/// ```no_run
/// use runledger::spans::{TraceOptions, TraceTarget, trace_layer};
/// use runledger::{RestOptions, RestStore};
/// use tracing_subscriber::layer::SubscriberExt;
/// use tracing_subscriber::util::SubscriberInitExt;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = RestStore::new("http://localhost:5000", RestOptions::from_env()?)?;
/// let target = TraceTarget::server(server, "1".parse()?);
/// let (layer, guard) = trace_layer(target, TraceOptions::default())?;
/// tracing_subscriber::registry().with(layer).init();
///
/// tracing::info_span!("answer", mlflow.spanType = "CHAIN").in_scope(|| {
///     let call = tracing::info_span!("chat", gen_ai.usage.input_tokens = 12);
///     let _entered = call.enter();
/// });
/// // Also done when the guard is dropped.
/// guard.flush();
/// # Ok(())
/// # }
/// ```
pub fn trace_layer(
    target: TraceTarget,
    options: TraceOptions,
) -> Result<(TraceLayer, TraceGuard), NotStarted> {
    let counters = Arc::new(Counters::default());
    let (guard, spans) = TraceGuard::start(target, options, Arc::clone(&counters))?;
    Ok((TraceLayer::new(spans, counters), guard))
}
