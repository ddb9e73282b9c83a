//! How two filters of traces go together.

use crate::{
    Input, RequestError,
    json::{decode::decode, field::List, message::messages, write},
    messages::{Request, most},
};

messages! {
    /// `traces/calculate-filter-correlation`
    CorrelationBody {
        experiment_ids: List<String, { most::EXPERIMENT_IDS }>,
        filter_string1: String,
        filter_string2: String,
        base_filter: String,
    }
}

/// Asks how two filters go together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CorrelateTraceFilters {
    /// The experiments as the client wrote them.
    pub experiment_ids: Vec<String>,
    /// One filter.
    pub filter1: String,
    /// The other.
    pub filter2: String,
    /// What all traces that are counted pass; empty if absent.
    pub base: String,
}

impl Request for CorrelateTraceFilters {
    fn decode(input: Input<'_>) -> Result<Self, RequestError> {
        let body: CorrelationBody = decode(input)?;
        Ok(Self {
            experiment_ids: body.experiment_ids.required_all("experiment_ids")?,
            filter1: body.filter_string1.required_text("filter_string1")?,
            filter2: body.filter_string2.required_text("filter_string2")?,
            base: body.base_filter.or_default("base_filter")?,
        })
    }
}

/// How often traces pass two filters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FilterCounts {
    /// One of them.
    pub filter1: u64,
    /// The other.
    pub filter2: u64,
    /// Both.
    pub joint: u64,
    /// All traces.
    pub total: u64,
}

/// The answer to `traces/calculate-filter-correlation`: the normalised pointwise
/// mutual information, also smoothed by Jeffreys' prior; neither where it is not
/// defined.
pub fn correlation(counts: FilterCounts) -> Vec<u8> {
    write::object(|o| {
        if let Some(npmi) = npmi(counts, 0.0) {
            o.double("npmi", npmi);
        }
        if let Some(smoothed) = npmi(counts, 0.5) {
            o.double("npmi_smoothed", smoothed);
        }
        o.uint("filter1_count", counts.filter1);
        o.uint("filter2_count", counts.filter2);
        o.uint("joint_count", counts.joint);
        o.uint("total_count", counts.total);
    })
}

#[expect(clippy::cast_precision_loss, reason = "counts of traces")]
fn npmi(counts: FilterCounts, smoothing: f64) -> Option<f64> {
    let FilterCounts {
        filter1,
        filter2,
        joint,
        total,
    } = counts;
    if total == 0 || filter1 == 0 || filter2 == 0 {
        return None;
    }
    let only1 = filter1.checked_sub(joint)?;
    let only2 = filter2.checked_sub(joint)?;
    let neither = (total + joint).checked_sub(filter1 + filter2)?;
    if joint == 0 && smoothing == 0.0 {
        return Some(-1.0);
    }
    if only1 == 0 && only2 == 0 && neither == 0 {
        return Some(1.0);
    }
    let [both, only1, only2, neither] =
        [joint, only1, only2, neither].map(|count| count as f64 + smoothing);
    let all = both + only1 + only2 + neither;
    let mutual = both.ln() + all.ln() - (both + only1).ln() - (both + only2).ln();
    Some((mutual / -(both.ln() - all.ln())).clamp(-1.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_that_go_together_are_told_from_those_that_do_not() {
        let counts = FilterCounts {
            filter1: 5,
            filter2: 1,
            joint: 0,
            total: 7,
        };
        let text = String::from_utf8(correlation(counts)).unwrap();
        assert!(
            text.starts_with(r#"{"npmi":-1.0,"npmi_smoothed":-0.33934363"#),
            "{text}"
        );
        let never = FilterCounts {
            filter2: 0,
            ..counts
        };
        assert_eq!(
            String::from_utf8(correlation(never)).unwrap(),
            r#"{"filter1_count":5,"filter2_count":0,"joint_count":0,"total_count":7}"#
        );
    }
}
