//! The layer: from spans of `tracing` to records, on the threads of the program.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::sync::mpsc::Sender;
use tracing::span::{Attributes, Id, Record as Values};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

use super::Counters;
use super::record::{Fields, Record, Status};

thread_local! {
    /// Whether this thread sends spans: its own would never come to an end.
    static SENDS: Cell<bool> = const { Cell::new(false) };
}

/// From now on spans of this thread are not recorded.
pub(super) fn this_thread_sends() {
    SENDS.set(true);
}

/// Records spans and hands them over. Made by [`trace_layer`](super::trace_layer).
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
/// # let tracker = runledger::Tracker::open(&uri)?;
/// use std::sync::Arc;
///
/// use runledger::entities::ExperimentId;
/// use runledger::spans::{TraceOptions, TraceTarget, trace_layer};
/// use tracing_subscriber::layer::SubscriberExt;
///
/// let store = Arc::clone(tracker.client().traces());
/// let target = TraceTarget::store(store, ExperimentId::DEFAULT);
/// let (layer, guard) = trace_layer(target, TraceOptions::default())?;
/// // Beside any other layers; `init` of `SubscriberInitExt` makes it that of the program.
/// let subscriber = tracing_subscriber::registry().with(layer);
/// tracing::subscriber::with_default(subscriber, || {
///     tracing::info_span!("answer").in_scope(|| tracing::info!("thinking"));
/// });
/// assert!(guard.flush());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct TraceLayer {
    spans: Sender<Record>,
    counters: Arc<Counters>,
}

impl TraceLayer {
    pub(super) fn new(spans: Sender<Record>, counters: Arc<Counters>) -> Self {
        Self { spans, counters }
    }
}

impl<S> Layer<S> for TraceLayer
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if SENDS.get() {
            return;
        }
        let Some(span) = context.span(id) else { return };
        let parent = span.parent().and_then(|parent| {
            let extensions = parent.extensions();
            extensions.get::<Record>().map(Record::ids)
        });
        let mut record = Record::new(span.name(), parent);
        attributes.record(&mut record.fields);
        span.extensions_mut().insert(record);
    }

    fn on_record(&self, id: &Id, values: &Values<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if span.extensions().get::<Record>().is_none() {
            return;
        }
        // The program's own code writes values, and may log: no lock is held meanwhile.
        let mut fields = Fields::default();
        values.record(&mut fields);
        if let Some(record) = span.extensions_mut().get_mut::<Record>() {
            record.fields.merge(fields);
        }
    }

    fn on_follows_from(&self, id: &Id, follows: &Id, context: Context<'_, S>) {
        let other = context.span(follows).and_then(|other| {
            let extensions = other.extensions();
            extensions.get::<Record>().map(Record::ids)
        });
        let (Some(span), Some(other)) = (context.span(id), other) else {
            return;
        };
        if let Some(record) = span.extensions_mut().get_mut::<Record>() {
            record.add_link(other);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let Some(span) = context.event_span(event) else {
            return;
        };
        if span.extensions().get::<Record>().is_none() {
            return;
        }
        // As in `on_record`.
        let mut fields = Fields::default();
        event.record(&mut fields);
        let is_error = *event.metadata().level() == Level::ERROR;
        if let Some(record) = span.extensions_mut().get_mut::<Record>() {
            record.add_event(fields, is_error, event.metadata().name());
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else {
            return;
        };
        let Some(mut record) = span.extensions_mut().remove::<Record>() else {
            return;
        };
        // What ended without a word went well, as MLflow sees it.
        record.fields.status.get_or_insert(Status::Ok);
        let record = record.ended();
        let bytes = record.bytes();
        if self.counters.reserve(bytes) {
            if self.spans.try_send(record).is_ok() {
                return;
            }
            self.counters.release(bytes);
        }
        self.counters.dropped.fetch_add(1, Ordering::Relaxed);
    }
}
