//! Deletion, by id and by time.

use runledger_entities::ExperimentId;
use runledger_store::TraceDeletion;

use super::setup::{BEGIN, HERE, feedback, id, span, told};
use crate::{
    World,
    case::{Outcome, cases},
};

cases![
    traces_are_deleted_by_their_ids,
    the_oldest_are_deleted_first,
    a_deleted_trace_leaves_nothing,
    many_traces_are_deleted_at_once,
];

async fn traces_are_deleted_by_their_ids(w: &World) -> Outcome {
    for name in ["tr-1", "tr-2", "tr-3"] {
        w.tell(told(name)).await?;
    }
    let ids = || TraceDeletion::Ids(["tr-1", "tr-3", "nope"].map(id).to_vec());
    let traces = w.traces()?;
    assert_eq!(traces.delete_traces(ExperimentId(5), ids()).await?, 0);
    assert_eq!(traces.delete_traces(HERE, ids()).await?, 2);
    assert_eq!(w.traces_found("").await?, ["tr-2"]);
    Ok(())
}

async fn the_oldest_are_deleted_first(w: &World) -> Outcome {
    for (name, after) in [("tr-1", 3), ("tr-2", 1), ("tr-3", 2), ("tr-4", 9)] {
        let mut info = told(name);
        info.request_time = BEGIN + after;
        w.tell(info).await?;
    }
    let until = |time, at_most| TraceDeletion::Until { time, at_most };
    let traces = w.traces()?;
    assert_eq!(
        traces
            .delete_traces(HERE, until(BEGIN + 3, Some(2)))
            .await?,
        2
    );
    assert_eq!(w.traces_found("").await?, ["tr-4", "tr-1"]);
    assert_eq!(traces.delete_traces(HERE, until(BEGIN + 3, None)).await?, 1);
    assert_eq!(w.traces_found("").await?, ["tr-4"]);
    Ok(())
}

async fn a_deleted_trace_leaves_nothing(w: &World) -> Outcome {
    w.log_spans(vec![span("tr-1", "s", None, 0)]).await?;
    w.traces()?
        .create_assessment(feedback("tr-1", "q", "1.0"))
        .await?;
    let run = runledger_entities::RunId::new("r");
    w.traces()?
        .link_traces_to_run(vec![id("tr-1")], &run)
        .await?;
    let all = TraceDeletion::Ids(vec![id("tr-1")]);
    w.traces()?.delete_traces(HERE, all).await?;
    let info = w.tell(told("tr-1")).await?;
    assert!(info.assessments.is_empty());
    assert_eq!(w.contents("tr-1").await?, [] as [&str; 0]);
    assert_eq!(w.traces_found("run_id = 'r'").await?, [] as [&str; 0]);
    Ok(())
}

async fn many_traces_are_deleted_at_once(w: &World) -> Outcome {
    let spans = (0..2500).map(|n| span(&format!("tr-{n}"), "s", None, n));
    w.log_spans(spans.collect()).await?;
    let until = TraceDeletion::Until {
        time: BEGIN + 2399,
        at_most: None,
    };
    assert_eq!(w.traces()?.delete_traces(HERE, until).await?, 2400);
    assert_eq!(w.traces_found("").await?.len(), 100);
    Ok(())
}
