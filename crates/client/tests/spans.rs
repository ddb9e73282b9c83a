//! Spans of a program become traces: at a server, in a store, under overload, and while the server is away.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use runledger::entities::{ExperimentId, TraceInfo, TraceState};
use runledger::spans::{SpanCounts, TraceOptions, TraceTarget, trace_layer};
use runledger::store::{PageRequest, TraceQuery, TraceStore};
use runledger::{RestOptions, RestStore};
use runledger_server::Server;
use runledger_store_sql::{SqlStore, StoreOptions};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tracing::subscriber::with_default;
use tracing::{error_span, info, info_span, warn};
use tracing_subscriber::layer::SubscriberExt as _;

/// A database, and a server on it, in a runtime of their own: the spans are those of a plain program.
struct World {
    runtime: Runtime,
    store: Arc<SqlStore>,
    address: String,
    _folder: TempDir,
}

impl World {
    fn new() -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let folder = tempfile::tempdir().expect("a folder");
        let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
        let (store, address) = runtime.block_on(async {
            let store = SqlStore::open(&uri, StoreOptions::default()).await;
            let store = Arc::new(store.expect("a database"));
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            let address = format!("http://{}", listener.local_addr().expect("an address"));
            tokio::spawn(serving(&store).serve(listener, std::future::pending()));
            (store, address)
        });
        Self {
            runtime,
            store,
            address,
            _folder: folder,
        }
    }

    fn target(&self) -> TraceTarget {
        let server = RestStore::new(&self.address, RestOptions::default());
        TraceTarget::server(server.expect("a server"), experiment())
    }

    /// All traces, the oldest first, with the text of their spans.
    fn traces(&self) -> Vec<(TraceInfo, Vec<String>)> {
        self.runtime.block_on(async {
            let query = TraceQuery {
                experiment_ids: vec![experiment()],
                page: PageRequest {
                    max_results: 100,
                    token: None,
                },
                filter: Vec::new(),
                order_by: Vec::new(),
            };
            let page = self.store.search_traces(query).await.expect("traces");
            let mut traces = Vec::new();
            for info in page.items {
                let ids = vec![info.trace_id.clone()];
                let found = self.store.get_traces(ids, None).await;
                let found = found.expect("a trace").remove(0);
                let spans = found.spans.into_iter().map(|span| span.content);
                traces.push((info, spans.collect()));
            }
            traces.sort_by_key(|(info, _)| info.request_time);
            traces
        })
    }
}

fn serving(store: &Arc<SqlStore>) -> Server {
    let server = Server::builder().store(Arc::clone(store));
    let server = server.traces(Arc::<SqlStore>::clone(store)).build();
    server.expect("a server")
}

fn experiment() -> ExperimentId {
    "0".parse().expect("the default experiment")
}

/// A program with a trace of three spans in two threads.
fn program() {
    let root = info_span!(
        "answer",
        mlflow.spanType = "CHAIN",
        mlflow.spanInputs = r#"{"q":"é"}"#,
        retries = tracing::field::Empty
    );
    let _entered = root.enter();
    info!(tokens = 7, "thinking");
    let other = root.clone();
    let worker = tracing::dispatcher::get_default(Clone::clone);
    let thread = thread::spawn(move || {
        tracing::dispatcher::with_default(&worker, || {
            let search = info_span!(parent: &other, "search", otel.kind = "client");
            search.in_scope(|| tracing::error!("nothing found"));
        });
    });
    thread.join().expect("a thread");
    info_span!(
        "chat",
        otel.name = "chat a-model",
        gen_ai.usage.input_tokens = 12,
        gen_ai.usage.output_tokens = 30
    )
    .in_scope(|| {});
    root.record("retries", 2);
}

fn assert_whole(world: &World) {
    let traces = world.traces();
    let [(info, spans)] = traces.as_slice() else {
        panic!("one trace, found {}", traces.len());
    };
    assert_eq!(info.state, TraceState::Ok);
    assert_eq!(spans.len(), 3);
    let span = |name: &str| {
        let name = format!("\"name\": \"{name}\"");
        let compact = name.replace(": ", ":");
        spans
            .iter()
            .find(|span| span.contains(&name) || span.contains(&compact))
            .unwrap_or_else(|| panic!("no {name} in {spans:?}"))
    };
    assert!(span("answer").contains("retries"), "{spans:?}");
    assert!(span("answer").contains("thinking"), "{spans:?}");
    assert!(span("search").contains("nothing found"), "{spans:?}");
    assert!(span("search").contains("ERROR"), "{spans:?}");
    let usage = info
        .metadata
        .iter()
        .find(|(key, _)| key.contains("tokenUsage"));
    assert!(
        usage.is_some_and(|(_, value)| value.contains("42")),
        "{:?}",
        info.metadata
    );
}

#[test]
fn spans_of_several_threads_are_one_trace_at_a_server() {
    let world = World::new();
    let (layer, guard) = trace_layer(world.target(), TraceOptions::default()).expect("a thread");
    with_default(tracing_subscriber::registry().with(layer), program);
    assert!(guard.flush());
    assert_eq!(
        guard.counts(),
        SpanCounts {
            sent: 3,
            ..SpanCounts::default()
        }
    );
    assert_whole(&world);
}

#[test]
fn a_store_takes_spans_without_a_server() {
    let world = World::new();
    let store: Arc<dyn TraceStore> = Arc::<SqlStore>::clone(&world.store);
    let target = TraceTarget::store(store, experiment());
    let (layer, guard) = trace_layer(target, TraceOptions::default()).expect("a thread");
    with_default(tracing_subscriber::registry().with(layer), program);
    // The end of the program.
    drop(guard);
    assert_whole(&world);
}

#[test]
fn what_is_too_much_is_dropped_and_counted_and_nobody_waits() {
    const SPANS: u64 = 20_000;
    // It listens, and never answers.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", silent.local_addr().expect("an address"));
    let server = RestStore::new(&address, RestOptions::default()).expect("a server");
    let options = TraceOptions {
        queue: 100,
        batch: 10,
        shutdown: Duration::from_millis(200),
        ..TraceOptions::default()
    };
    let target = TraceTarget::server(server, experiment());
    let (layer, guard) = trace_layer(target, options).expect("a thread");
    with_default(tracing_subscriber::registry().with(layer), || {
        for _ in 0..SPANS {
            drop(info_span!("span"));
        }
    });
    let counts = guard.counts();
    assert_eq!((counts.sent, counts.failed), (0, 0));
    // All but those that wait, or are on their way.
    assert!(counts.dropped >= SPANS - 200, "{counts:?}");
    assert!(counts.dropped < SPANS, "{counts:?}");
    assert!(!guard.flush(), "nothing can arrive");
    let began = Instant::now();
    drop(guard);
    assert!(began.elapsed() < Duration::from_mins(1), "the program ends");
}

#[test]
fn large_spans_go_in_several_requests() {
    const SPANS: usize = 20;
    let world = World::new();
    let options = TraceOptions {
        shutdown: Duration::from_mins(1),
        ..TraceOptions::default()
    };
    let (layer, guard) = trace_layer(world.target(), options).expect("a thread");
    let long = "x".repeat(1 << 20);
    with_default(tracing_subscriber::registry().with(layer), || {
        let root = error_span!("root");
        for _ in 0..SPANS {
            let child = warn_span(&root, &long);
            drop(child);
        }
    });
    assert!(guard.flush());
    let sent = SPANS as u64 + 1;
    let counts = guard.counts();
    assert_eq!(
        counts,
        SpanCounts {
            sent,
            ..SpanCounts::default()
        }
    );
    assert_eq!(world.traces().len(), 1);
}

fn warn_span(parent: &tracing::Span, text: &str) -> tracing::Span {
    tracing::warn_span!(parent: parent, "child", text)
}

/// A value that logs while it is written.
struct Talkative;

impl std::fmt::Debug for Talkative {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        info!("being written");
        f.write_str("talkative")
    }
}

#[test]
fn values_may_log_while_they_are_written() {
    let world = World::new();
    let (layer, guard) = trace_layer(world.target(), TraceOptions::default()).expect("a thread");
    with_default(tracing_subscriber::registry().with(layer), || {
        let span = info_span!("span", value = tracing::field::Empty);
        span.in_scope(|| {
            span.record("value", tracing::field::debug(Talkative));
            info!(value = ?Talkative, "an event");
        });
    });
    assert!(guard.flush());
    assert!(world.traces()[0].1[0].contains("being written"));
}

#[test]
fn a_flush_comes_to_an_end_under_load() {
    let world = World::new();
    let options = TraceOptions {
        batch: 4,
        // What waits at the time may take a busy machine a while.
        shutdown: Duration::from_mins(1),
        ..TraceOptions::default()
    };
    let (layer, guard) = trace_layer(world.target(), options).expect("a thread");
    let subscriber = tracing::Dispatch::new(tracing_subscriber::registry().with(layer));
    let ended = std::sync::atomic::AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            tracing::dispatcher::with_default(&subscriber, || {
                while !ended.load(std::sync::atomic::Ordering::Relaxed) {
                    drop(info_span!("span"));
                }
            });
        });
        thread::sleep(Duration::from_millis(50));
        let is_flushed = guard.flush();
        ended.store(true, std::sync::atomic::Ordering::Relaxed);
        assert!(is_flushed);
    });
}

#[test]
fn a_server_that_is_back_gets_what_waited() {
    let world = World::new();
    let front = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = front.local_addr().expect("an address");
    let options = TraceOptions {
        shutdown: Duration::from_mins(1),
        ..TraceOptions::default()
    };
    let server = RestStore::new(&format!("http://{address}"), RestOptions::default());
    let target = TraceTarget::server(server.expect("a server"), experiment());
    // Whoever connects first is hung up on.
    let gate = thread::spawn(move || {
        let (stream, _) = front.accept().expect("a connection");
        drop((stream, front));
    });
    let (layer, guard) = trace_layer(target, options).expect("a thread");
    with_default(tracing_subscriber::registry().with(layer), || {
        info_span!("late").in_scope(|| warn!("the server is away"));
    });
    thread::scope(|scope| {
        let flushed = scope.spawn(|| guard.flush());
        gate.join().expect("the first attempt");
        let store = Arc::clone(&world.store);
        world.runtime.spawn(async move {
            let listener = TcpListener::bind(address).await.expect("the same port");
            let _ = serving(&store)
                .serve(listener, std::future::pending())
                .await;
        });
        assert!(flushed.join().expect("no panic"));
    });
    let counts = guard.counts();
    assert_eq!(counts.sent, 1, "{counts:?}");
    assert_eq!(world.traces().len(), 1);
}
