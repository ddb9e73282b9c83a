//! Traces that clients tell about, at once or by their beginning and their end.

use runledger_entities::{ErrorCode, ExperimentId, Tag, TraceState, trace_keys};
use runledger_store::{NewTrace, TraceEnd};

use super::setup::{BEGIN, HERE, assert_no_trace, feedback, id, map, short, span, told};
use crate::{
    World,
    case::{Outcome, cases},
    setup::assert_refused,
};

cases![
    a_trace_reads_back,
    a_trace_that_is_told_again_is_merged,
    a_trace_that_is_told_takes_its_spans_along,
    numbers_of_the_metadata_come_back_as_they_are_counted,
    a_trace_needs_an_active_experiment,
    an_old_trace_begins_and_ends,
    an_unknown_trace_does_not_end,
    tags_can_be_set_and_deleted,
    the_name_is_a_tag,
    traces_are_read_together,
    spans_that_are_elsewhere_stay_there,
];

async fn a_trace_reads_back(w: &World) -> Outcome {
    let mut info = told("tr-1");
    info.client_request_id = Some("c".to_owned());
    info.request_preview = Some("hi".to_owned());
    info.metadata = map(&[("m", "v"), (trace_keys::SESSION, "s")]);
    info.tags = map(&[("t", ""), (trace_keys::NAME, "n")]);
    info.assessments = vec![feedback("tr-1", "q", "true")];
    let stored = w.tell(info.clone()).await?;
    info.metadata
        .insert(trace_keys::FINALIZED.to_owned(), "true".to_owned());
    let location = format!("mlflow-artifacts:/0/traces/{}/artifacts", id("tr-1"));
    info.tags
        .insert(trace_keys::ARTIFACT_LOCATION.to_owned(), location);
    let [given] = &stored.assessments[..] else {
        panic!("one assessment: {stored:?}");
    };
    assert!(
        given.create_time > 0 && given.last_update_time > 0,
        "{given:?}"
    );
    info.assessments.clone_from(&stored.assessments);
    assert_eq!(stored, info);
    assert_eq!(w.trace("tr-1").await?, info);
    assert_no_trace(w.trace("tr-2").await, "tr-2");
    Ok(())
}

async fn a_trace_that_is_told_again_is_merged(w: &World) -> Outcome {
    let mut first = told("tr-1");
    first.request_preview = Some("hi".to_owned());
    first.tags = map(&[("a", "1"), ("b", "1"), (trace_keys::NAME, "n")]);
    w.tell(first).await?;
    let mut second = told("tr-1");
    second.request_time = BEGIN + 5;
    second.execution_duration = None;
    second.state = TraceState::Error;
    second.tags = map(&[("b", "2"), ("c", "2")]);
    let merged = w.tell(second).await?;
    assert_eq!(
        (merged.request_time, merged.execution_duration),
        (BEGIN + 5, None)
    );
    assert_eq!(merged.state, TraceState::Error);
    assert_eq!(merged.request_preview.as_deref(), Some("hi"));
    let tags = ["a", "b", "c", trace_keys::NAME].map(|key| merged.tags[key].as_str());
    assert_eq!(tags, ["1", "2", "2", "n"]);
    Ok(())
}

async fn a_trace_that_is_told_takes_its_spans_along(w: &World) -> Outcome {
    w.log_spans(vec![span("tr-1", "s", None, 0)]).await?;
    let mut info = told("tr-1");
    info.experiment_id = w.experiment("there").await?;
    let stored = w.tell(info.clone()).await?;
    assert_eq!(stored.experiment_id, info.experiment_id);
    assert_eq!(w.contents("tr-1").await?.len(), 1);
    assert_eq!(w.traces_found("span.name = 's!'").await?, [] as [&str; 0]);
    Ok(())
}

async fn numbers_of_the_metadata_come_back_as_they_are_counted(w: &World) -> Outcome {
    let mut info = told("tr-1");
    let usage = r#"{"total_tokens": 7.0, "input_tokens": 3, "other": 1, "output_tokens": "x"}"#;
    info.metadata = map(&[
        (trace_keys::TOKEN_USAGE, usage),
        (trace_keys::COST, r#"{"total_cost": 0.5}"#),
    ]);
    let stored = w.tell(info).await?;
    assert_eq!(
        stored.metadata[trace_keys::TOKEN_USAGE],
        r#"{"input_tokens": 3, "total_tokens": 7}"#
    );
    assert_eq!(stored.metadata[trace_keys::COST], r#"{"total_cost": 0.5}"#);
    Ok(())
}

async fn a_trace_needs_an_active_experiment(w: &World) -> Outcome {
    let mut info = told("tr-1");
    info.experiment_id = ExperimentId(99);
    assert_refused(
        w.tell(info.clone()).await,
        ErrorCode::ResourceDoesNotExist,
        "No Experiment with id=99 exists",
    );
    info.experiment_id = w.experiment("gone").await?;
    w.tracking.delete_experiment(info.experiment_id).await?;
    let refused = w.tell(info).await.expect_err("it is deleted");
    assert!(
        refused
            .to_string()
            .contains("must be in the 'active' state"),
        "{refused}"
    );
    assert_no_trace(w.trace("tr-1").await, "tr-1");
    Ok(())
}

async fn an_old_trace_begins_and_ends(w: &World) -> Outcome {
    let begun = w
        .traces()?
        .begin_trace(NewTrace {
            experiment_id: HERE,
            request_time: BEGIN,
            metadata: map(&[("m", "1")]),
            tags: map(&[("t", "1")]),
        })
        .await?;
    assert_eq!(begun.state, TraceState::InProgress);
    assert_eq!(begun.execution_duration, None);
    assert!(begun.tags[trace_keys::ARTIFACT_LOCATION].contains(begun.trace_id.as_str()));
    let end = TraceEnd {
        end_time: BEGIN + 250,
        state: TraceState::Error,
        metadata: map(&[("m", "2"), ("n", "2")]),
        tags: map(&[(trace_keys::NAME, "old")]),
    };
    let ended = w.traces()?.end_trace(&begun.trace_id, end).await?;
    assert_eq!(ended.execution_duration, Some(250));
    assert_eq!(ended.state, TraceState::Error);
    assert_eq!((&*ended.metadata["m"], &*ended.metadata["n"]), ("2", "2"));
    assert_eq!(
        (&*ended.tags["t"], &*ended.tags[trace_keys::NAME]),
        ("1", "old")
    );
    assert_eq!(w.trace(ended.trace_id.as_str()).await?, ended);
    Ok(())
}

async fn an_unknown_trace_does_not_end(w: &World) -> Outcome {
    let end = TraceEnd {
        end_time: BEGIN,
        state: TraceState::Ok,
        metadata: map(&[]),
        tags: map(&[]),
    };
    assert_no_trace(w.traces()?.end_trace(&id("nope"), end).await, "nope");
    Ok(())
}

async fn tags_can_be_set_and_deleted(w: &World) -> Outcome {
    w.tell(told("tr-1")).await?;
    let traces = w.traces()?;
    for value in ["1", "2"] {
        traces
            .set_trace_tag(&id("tr-1"), Tag::new("k", value))
            .await?;
    }
    assert_eq!(w.trace("tr-1").await?.tags["k"], "2");
    traces.delete_trace_tag(&id("tr-1"), "k").await?;
    assert!(!w.trace("tr-1").await?.tags.contains_key("k"));
    assert_refused(
        traces.delete_trace_tag(&id("tr-1"), "k").await,
        ErrorCode::ResourceDoesNotExist,
        &format!(
            "No trace tag with key 'k' for trace with ID '{}'",
            id("tr-1")
        ),
    );
    assert_no_trace(
        traces.set_trace_tag(&id("nope"), Tag::new("k", "v")).await,
        "nope",
    );
    Ok(())
}

async fn the_name_is_a_tag(w: &World) -> Outcome {
    w.tell(told("tr-1")).await?;
    let traces = w.traces()?;
    let name = Tag::new(trace_keys::NAME, "n");
    traces.set_trace_tag(&id("tr-1"), name).await?;
    assert_eq!(w.traces_found("name = 'n'").await?, ["tr-1"]);
    traces
        .delete_trace_tag(&id("tr-1"), trace_keys::NAME)
        .await?;
    assert!(!w.trace("tr-1").await?.tags.contains_key(trace_keys::NAME));
    assert!(
        traces
            .delete_trace_tag(&id("tr-1"), trace_keys::NAME)
            .await
            .is_err()
    );
    Ok(())
}

async fn traces_are_read_together(w: &World) -> Outcome {
    for name in ["tr-1", "tr-2"] {
        w.tell(told(name)).await?;
    }
    let ids = || ["tr-2", "nope", "tr-1", "tr-2"].map(id).to_vec();
    let infos = w.traces()?.get_trace_infos(ids(), None).await?;
    let found: Vec<_> = infos.iter().map(|info| short(&info.trace_id)).collect();
    assert_eq!(found, ["tr-2", "tr-1"]);
    let elsewhere = Some(vec![ExperimentId(5)]);
    assert_eq!(w.traces()?.get_trace_infos(ids(), elsewhere).await?, []);
    let here = Some(vec![HERE]);
    assert_eq!(w.traces()?.get_traces(ids(), here).await?.len(), 2);
    Ok(())
}

async fn spans_that_are_elsewhere_stay_there(w: &World) -> Outcome {
    let mut info = told("tr-1");
    info.tags = map(&[(trace_keys::SPANS_LOCATION, trace_keys::IN_ARCHIVE)]);
    w.tell(info.clone()).await?;
    assert_refused(
        w.tell(info).await,
        ErrorCode::InvalidState,
        &format!(
            "Cannot update traces that are no longer DB-backed: '{}'.",
            id("tr-1")
        ),
    );
    assert_refused(
        w.log_spans(vec![span("tr-1", "s", None, 0)]).await,
        ErrorCode::InvalidState,
        &format!("Cannot log spans to archived traces: '{}'.", id("tr-1")),
    );
    assert_eq!(w.contents("tr-1").await?, [] as [&str; 0]);
    Ok(())
}
