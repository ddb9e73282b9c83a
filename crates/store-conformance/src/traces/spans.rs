//! Traces that are made of spans: in any order, in several calls, twice, late.

use runledger_entities::{ErrorCode, ExperimentId, SpanStatus, Tag, TraceState, trace_keys};

use super::setup::{BEGIN, id, map, span, spending, told};
use super::span_text::written;
use crate::{
    World,
    case::{Outcome, cases},
    setup::assert_refused,
};

cases![
    a_span_makes_its_trace,
    a_trace_without_a_root_goes_on,
    a_late_root_ends_its_trace,
    later_spans_widen_a_trace,
    a_span_that_is_sent_twice_is_kept_once,
    spans_come_roots_first_and_then_by_time,
    spans_of_many_traces_come_in_one_call,
    spans_that_nothing_is_known_about_are_refused_together,
    a_trace_keeps_its_experiment,
    usage_is_counted_over_all_calls,
    a_parent_that_comes_later_speaks_for_its_children,
    what_a_client_told_is_not_counted_again,
    session_and_user_come_from_spans,
    tags_come_from_spans,
    previews_come_from_roots_and_stay,
    a_large_span_is_kept_whole,
    no_span_is_lost_among_many_writers,
];

async fn a_span_makes_its_trace(w: &World) -> Outcome {
    w.log_spans(vec![span("tr-1", "s", None, 0)]).await?;
    let info = w.trace("tr-1").await?;
    assert_eq!(info.request_time, BEGIN);
    assert_eq!(info.execution_duration, Some(100));
    assert_eq!(info.state, TraceState::Ok);
    assert!(info.has_spans_in_store());
    let location = format!("mlflow-artifacts:/0/traces/{}/artifacts", id("tr-1"));
    assert_eq!(info.tags[trace_keys::ARTIFACT_LOCATION], location);
    assert!(info.metadata.is_empty(), "{info:?}");
    w.log_spans(Vec::new()).await?;
    Ok(())
}

async fn a_trace_without_a_root_goes_on(w: &World) -> Outcome {
    let mut child = span("tr-1", "s", Some("lost"), 0);
    child.end_time_unix_nano = 0;
    w.log_spans(vec![written(child, &[])]).await?;
    let info = w.trace("tr-1").await?;
    assert_eq!(info.state, TraceState::InProgress);
    assert_eq!(info.execution_duration, None);
    Ok(())
}

async fn a_late_root_ends_its_trace(w: &World) -> Outcome {
    w.log_spans(vec![span("tr-1", "child", Some("root"), 10)])
        .await?;
    let mut root = span("tr-1", "root", None, 0);
    root.status = SpanStatus::Error;
    let mut root = written(root, &[]);
    w.log_spans(vec![root.clone()]).await?;
    assert_eq!(w.trace("tr-1").await?.state, TraceState::Error);
    // What became of it is known now.
    root.status = SpanStatus::Ok;
    w.log_spans(vec![written(root, &[])]).await?;
    assert_eq!(w.trace("tr-1").await?.state, TraceState::Error);
    Ok(())
}

async fn later_spans_widen_a_trace(w: &World) -> Outcome {
    w.log_spans(vec![span("tr-1", "a", None, 50)]).await?;
    w.log_spans(vec![span("tr-1", "b", Some("a"), 0)]).await?;
    w.log_spans(vec![span("tr-1", "c", Some("a"), 500)]).await?;
    w.log_spans(vec![span("tr-1", "d", Some("a"), 200)]).await?;
    let info = w.trace("tr-1").await?;
    assert_eq!(
        (info.request_time, info.execution_duration),
        (BEGIN, Some(600))
    );
    Ok(())
}

async fn a_span_that_is_sent_twice_is_kept_once(w: &World) -> Outcome {
    let first = span("tr-1", "s", None, 0);
    let second = written(first.clone(), &[("n", "2")]);
    w.log_spans(vec![first.clone(), second.clone()]).await?;
    assert_eq!(w.contents("tr-1").await?, [second.content.as_str()]);
    w.log_spans(vec![first.clone()]).await?;
    assert_eq!(w.contents("tr-1").await?, [first.content.as_str()]);
    Ok(())
}

async fn spans_come_roots_first_and_then_by_time(w: &World) -> Outcome {
    let spans = [("c", Some("r"), 5), ("b", Some("r"), 3), ("r", None, 9)];
    let spans = spans.map(|(name, parent, after)| span("tr-1", name, parent, after));
    w.log_spans(spans.to_vec()).await?;
    let contents = w.contents("tr-1").await?;
    let expected = [&spans[2].content, &spans[1].content, &spans[0].content];
    assert_eq!(contents.iter().collect::<Vec<_>>(), expected);
    Ok(())
}

async fn spans_of_many_traces_come_in_one_call(w: &World) -> Outcome {
    let spans = (0..300).map(|n| span(&format!("tr-{:03}", n % 100), &format!("s{n}"), None, n));
    w.log_spans(spans.collect()).await?;
    assert_eq!(w.traces_found("").await?.len(), 100);
    assert_eq!(w.contents("tr-007").await?.len(), 3);
    Ok(())
}

async fn spans_that_nothing_is_known_about_are_refused_together(w: &World) -> Outcome {
    let spans = vec![span("tr-1", "s", None, 0), span("tr-2", "s", None, 0)];
    assert_refused(
        w.traces()?.log_spans(ExperimentId(99), spans).await,
        ErrorCode::ResourceDoesNotExist,
        "No Experiment with id=99 exists",
    );
    let mut archived = told("tr-2");
    archived.tags = map(&[(trace_keys::SPANS_LOCATION, trace_keys::IN_ARCHIVE)]);
    w.tell(archived).await?;
    let spans = vec![span("tr-1", "s", None, 0), span("tr-2", "s", None, 0)];
    assert!(w.log_spans(spans).await.is_err());
    assert!(w.trace("tr-1").await.is_err());
    Ok(())
}

async fn a_trace_keeps_its_experiment(w: &World) -> Outcome {
    w.log_spans(vec![span("tr-1", "a", None, 0)]).await?;
    let other = w.experiment("other").await?;
    let late = vec![span("tr-1", "b", Some("a"), 1)];
    w.traces()?.log_spans(other, late).await?;
    assert_ne!(w.trace("tr-1").await?.experiment_id, other);
    assert_eq!(w.traces_found("span.name = 'b!'").await?, ["tr-1"]);
    Ok(())
}

fn usage(tokens: i64) -> String {
    format!("{{\"input_tokens\": {tokens}, \"output_tokens\": 0, \"total_tokens\": 0}}")
}

async fn usage_is_counted_over_all_calls(w: &World) -> Outcome {
    let child = |name: &str| spending(span("tr-1", name, Some("r"), 0), 3, 0.5);
    w.log_spans(vec![child("a")]).await?;
    assert_eq!(
        w.trace("tr-1").await?.metadata[trace_keys::TOKEN_USAGE],
        usage(3)
    );
    w.log_spans(vec![child("b"), span("tr-1", "r", None, 0)])
        .await?;
    // Sent again, it is not counted again.
    w.log_spans(vec![child("a")]).await?;
    let metadata = w.trace("tr-1").await?.metadata;
    assert_eq!(metadata[trace_keys::TOKEN_USAGE], usage(6));
    assert_eq!(
        metadata[trace_keys::COST],
        r#"{"input_cost": 0.0, "output_cost": 0.0, "total_cost": 1.0}"#
    );
    Ok(())
}

async fn a_parent_that_comes_later_speaks_for_its_children(w: &World) -> Outcome {
    w.log_spans(vec![spending(span("tr-1", "a", Some("r"), 0), 3, 0.5)])
        .await?;
    w.log_spans(vec![spending(span("tr-1", "r", None, 0), 10, 2.0)])
        .await?;
    assert_eq!(
        w.trace("tr-1").await?.metadata[trace_keys::TOKEN_USAGE],
        usage(10)
    );
    Ok(())
}

async fn what_a_client_told_is_not_counted_again(w: &World) -> Outcome {
    let mut info = told("tr-1");
    info.metadata = map(&[(trace_keys::TOKEN_USAGE, r#"{"input_tokens": 7}"#)]);
    w.tell(info).await?;
    w.log_spans(vec![spending(span("tr-1", "a", None, -50), 3, 0.5)])
        .await?;
    let info = w.trace("tr-1").await?;
    assert_eq!(
        info.metadata[trace_keys::TOKEN_USAGE],
        r#"{"input_tokens": 7}"#
    );
    assert!(
        info.metadata.contains_key(trace_keys::COST),
        "nobody told the cost"
    );
    assert_eq!(
        (info.request_time, info.execution_duration),
        (BEGIN, Some(1000))
    );
    Ok(())
}

async fn session_and_user_come_from_spans(w: &World) -> Outcome {
    let mut first = span("tr-1", "a", None, 0);
    first.session_id = Some("s1".to_owned());
    first.user_id = Some("u1".to_owned());
    w.log_spans(vec![written(first.clone(), &[])]).await?;
    first.session_id = Some("s2".to_owned());
    first.user_id = Some("u2".to_owned());
    w.log_spans(vec![written(first, &[])]).await?;
    let metadata = w.trace("tr-1").await?.metadata;
    assert_eq!(metadata[trace_keys::SESSION], "s1");
    assert_eq!(metadata[trace_keys::USER], "u1");
    Ok(())
}

async fn tags_come_from_spans(w: &World) -> Outcome {
    let mut root = span("tr-1", "a", None, 0);
    root.resource_tags = vec![Tag::new("service.name", "x"), Tag::new("both", "resource")];
    root.trace_tags = vec![Tag::new("both", "given"), Tag::new(trace_keys::NAME, "n")];
    w.log_spans(vec![written(root, &[])]).await?;
    let tags = w.trace("tr-1").await?.tags;
    assert_eq!(tags["service.name"], "x");
    assert_eq!(tags["both"], "given");
    assert_eq!(tags[trace_keys::NAME], "n");
    Ok(())
}

async fn previews_come_from_roots_and_stay(w: &World) -> Outcome {
    let mut root = span("tr-1", "a", None, 0);
    root.request_preview = Some("first".to_owned());
    w.log_spans(vec![written(root.clone(), &[])]).await?;
    root.request_preview = Some("second".to_owned());
    root.response_preview = Some("answer".to_owned());
    w.log_spans(vec![written(root, &[])]).await?;
    let info = w.trace("tr-1").await?;
    assert_eq!(info.request_preview.as_deref(), Some("first"));
    assert_eq!(info.response_preview.as_deref(), Some("answer"));
    Ok(())
}

async fn a_large_span_is_kept_whole(w: &World) -> Outcome {
    let text = format!("\"é{}\"", "x".repeat(1 << 20));
    let spans: Vec<_> = (0..5)
        .map(|n| written(span("tr-1", &format!("s{n}"), None, n), &[("large", &text)]))
        .collect();
    w.log_spans(spans.clone()).await?;
    let contents = w.contents("tr-1").await?;
    assert_eq!(contents.len(), 5);
    for (content, span) in contents.iter().zip(&spans) {
        // Without the rest of their texts, which are long.
        let begin = |text: &str| text.chars().take(500).collect::<String>();
        assert_eq!(begin(content), begin(&span.content));
        assert!(*content == span.content, "its end differs");
    }
    Ok(())
}

async fn no_span_is_lost_among_many_writers(w: &World) -> Outcome {
    let mut tasks = Vec::new();
    for writer in 0..6 {
        let traces = w.shared_traces()?;
        tasks.push(tokio::spawn(async move {
            for n in 0..5 {
                let name = format!("s{writer}.{n}");
                let one = spending(span("tr-1", &name, Some("r"), n), 1, 0.0);
                traces.log_spans(super::setup::HERE, vec![one]).await?;
                if n == 2 && writer == 0 {
                    traces.start_trace(told("tr-2")).await?;
                }
                let shared = span("tr-2", &name, Some("r"), n);
                traces.log_spans(super::setup::HERE, vec![shared]).await?;
            }
            Ok::<(), runledger_store::StoreError>(())
        }));
    }
    for task in tasks {
        task.await??;
    }
    assert_eq!(w.contents("tr-1").await?.len(), 30);
    assert_eq!(w.contents("tr-2").await?.len(), 30);
    assert_eq!(
        w.trace("tr-1").await?.metadata[trace_keys::TOKEN_USAGE],
        usage(30)
    );
    assert_eq!(
        w.traces()?.get_trace_info(&id("tr-2")).await?.state,
        TraceState::Ok
    );
    Ok(())
}
