//! Assessments: given, changed, taking each other's place.

use runledger_entities::{AssessmentId, AssessmentValue, ErrorCode, trace_keys};
use runledger_store::AssessmentPatch;

use super::setup::{assert_no_trace, feedback, id, map, told};
use crate::{
    World,
    case::{Outcome, cases},
    setup::{assert_refused, next_millisecond},
};

cases![
    an_assessment_reads_back,
    an_assessment_needs_its_trace,
    an_assessment_takes_the_place_of_another,
    a_value_that_is_told_again_may_be_of_another_kind,
    a_deleted_assessment_gives_its_place_back,
    only_what_a_patch_names_changes,
    a_value_keeps_its_kind,
    an_unknown_assessment_is_not_found,
];

fn a(name: &str) -> AssessmentId {
    AssessmentId::new(format!("a-{name}"))
}

async fn an_assessment_reads_back(w: &World) -> Outcome {
    w.tell(told("tr-1")).await?;
    let mut new = feedback("tr-1", "q", "5.0");
    new.rationale = Some("because".to_owned());
    new.metadata = map(&[("k", "é"), (trace_keys::ASSESSMENT_RUN, "run")]);
    new.span_id = Some("s".to_owned());
    new.create_time = 5;
    let created = w.traces()?.create_assessment(new.clone()).await?;
    assert!(created.last_update_time > 5);
    new.last_update_time = created.last_update_time;
    assert_eq!(created, new);
    let mut expected = feedback("tr-1", "e", "");
    expected.value = AssessmentValue::Expectation {
        json: "{\"a\": 1}".to_owned(),
    };
    let mut issue = feedback("tr-1", "i", "");
    issue.value = AssessmentValue::Issue {
        issue_name: "bad \"thing\"".to_owned(),
    };
    for other in [expected, issue] {
        let created = w.traces()?.create_assessment(other.clone()).await?;
        assert_eq!(created.value, other.value);
    }
    let read = w.traces()?.get_assessment(&id("tr-1"), &a("q")).await?;
    assert_eq!(read, new);
    let all = w.trace("tr-1").await?.assessments;
    assert_eq!(all.len(), 3);
    assert_eq!(all[0], new, "the earliest comes first");
    Ok(())
}

async fn an_assessment_needs_its_trace(w: &World) -> Outcome {
    let new = feedback("nope", "q", "1.0");
    assert_no_trace(w.traces()?.create_assessment(new).await, "nope");
    Ok(())
}

async fn an_assessment_takes_the_place_of_another(w: &World) -> Outcome {
    w.tell(told("tr-1")).await?;
    let traces = w.traces()?;
    traces
        .create_assessment(feedback("tr-1", "q", "\"no\""))
        .await?;
    let mut better = feedback("tr-1", "better", "\"yes\"");
    better.overrides = Some(a("q"));
    traces.create_assessment(better).await?;
    assert!(!traces.get_assessment(&id("tr-1"), &a("q")).await?.valid);
    assert_eq!(w.traces_found("feedback.q = 'no'").await?, [] as [&str; 0]);
    let mut wrong = feedback("tr-1", "wrong", "1.0");
    wrong.overrides = Some(a("nope"));
    assert_refused(
        traces.create_assessment(wrong).await,
        ErrorCode::ResourceDoesNotExist,
        &format!(
            "Assessment with ID 'a-nope' not found for trace '{}'",
            id("tr-1")
        ),
    );
    Ok(())
}

async fn a_value_that_is_told_again_may_be_of_another_kind(w: &World) -> Outcome {
    for (json, above, like) in [("\"yes\"", false, true), ("0.9", true, false)] {
        let mut info = told("tr-1");
        info.assessments = vec![feedback("tr-1", "q", json)];
        w.tell(info).await?;
        let found = w.traces_found("feedback.q > 0.5").await?;
        assert_eq!(!found.is_empty(), above, "{json}");
        let found = w.traces_found("feedback.q = 'yes'").await?;
        assert_eq!(!found.is_empty(), like, "{json}");
    }
    Ok(())
}

async fn a_deleted_assessment_gives_its_place_back(w: &World) -> Outcome {
    w.tell(told("tr-1")).await?;
    let traces = w.traces()?;
    traces
        .create_assessment(feedback("tr-1", "q", "1.0"))
        .await?;
    let mut better = feedback("tr-1", "better", "2.0");
    better.overrides = Some(a("q"));
    traces.create_assessment(better).await?;
    for _ in 0..2 {
        traces.delete_assessment(&id("tr-1"), &a("better")).await?;
    }
    assert!(traces.get_assessment(&id("tr-1"), &a("q")).await?.valid);
    assert_eq!(w.trace("tr-1").await?.assessments.len(), 1);
    Ok(())
}

async fn only_what_a_patch_names_changes(w: &World) -> Outcome {
    w.tell(told("tr-1")).await?;
    let traces = w.traces()?;
    let mut new = feedback("tr-1", "q", "1.0");
    new.metadata = map(&[("a", "1"), ("b", "1")]);
    let created = traces.create_assessment(new).await?;
    next_millisecond().await;
    let patch = AssessmentPatch {
        rationale: Some("why".to_owned()),
        metadata: map(&[("b", "2")]),
        ..AssessmentPatch::default()
    };
    let updated = traces
        .update_assessment(&id("tr-1"), &a("q"), patch)
        .await?;
    assert_eq!(updated.rationale.as_deref(), Some("why"));
    assert_eq!(updated.metadata, map(&[("a", "1"), ("b", "2")]));
    assert_eq!(
        (&updated.value, &updated.name),
        (&created.value, &created.name)
    );
    assert!(updated.last_update_time > created.last_update_time);
    assert_eq!(traces.get_assessment(&id("tr-1"), &a("q")).await?, updated);
    Ok(())
}

async fn a_value_keeps_its_kind(w: &World) -> Outcome {
    w.tell(told("tr-1")).await?;
    let traces = w.traces()?;
    traces
        .create_assessment(feedback("tr-1", "q", "1.0"))
        .await?;
    let patch = |value| AssessmentPatch {
        value: Some(value),
        ..AssessmentPatch::default()
    };
    let json = "2.0".to_owned();
    let other = patch(AssessmentValue::Expectation { json: json.clone() });
    assert_refused(
        traces.update_assessment(&id("tr-1"), &a("q"), other).await,
        ErrorCode::InvalidParameterValue,
        "Cannot update expectation value on a Feedback assessment.",
    );
    let same = patch(AssessmentValue::Feedback { json, error: None });
    traces.update_assessment(&id("tr-1"), &a("q"), same).await?;
    assert_eq!(w.traces_found("feedback.q > 1.5").await?, ["tr-1"]);
    Ok(())
}

async fn an_unknown_assessment_is_not_found(w: &World) -> Outcome {
    w.tell(told("tr-1")).await?;
    let traces = w.traces()?;
    assert_refused(
        traces.get_assessment(&id("tr-1"), &a("x")).await,
        ErrorCode::ResourceDoesNotExist,
        &format!(
            "Assessment with ID 'a-x' not found for trace '{}'",
            id("tr-1")
        ),
    );
    assert_refused(
        traces.get_assessment(&id("nope"), &a("x")).await,
        ErrorCode::ResourceDoesNotExist,
        "Trace with request_id 'nope' not found",
    );
    traces.delete_assessment(&id("nope"), &a("x")).await?;
    Ok(())
}
