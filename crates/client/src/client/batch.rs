//! Batches by the rules and limits of `log-batch`.

use runledger_entities::{InvalidValue, LongValues, limits, validate};
use runledger_store::Batch;

/// Checks the rules of names and values, and cuts over-long values.
pub(crate) fn check(batch: &mut Batch) -> Result<(), InvalidValue> {
    for (n, metric) in batch.metrics.iter().enumerate() {
        validate::metric(&format!("metrics[{n}]."), metric)?;
    }
    for (n, param) in batch.params.iter_mut().enumerate() {
        validate::param(&format!("params[{n}]."), param, LongValues::Truncate)?;
    }
    validate::distinct_params(&batch.params)?;
    for (n, tag) in batch.tags.iter_mut().enumerate() {
        validate::tag(&format!("tags[{n}]."), tag, LongValues::Truncate)?;
    }
    Ok(())
}

/// What is left of the size of a `log-batch`.
struct Room(usize);

impl Room {
    /// That of a whole request.
    fn new() -> Self {
        Self(limits::BATCH_CHARACTERS - 1000)
    }

    /// Takes room for an item with these texts, if there is any. A text may need two
    /// characters for each of its own in JSON, and six for each that controls something.
    fn take(&mut self, texts: [&str; 2]) -> bool {
        const AROUND: usize = 120;

        let characters = texts.map(|text| {
            let controls = text.chars().filter(|c| c.is_control()).count();
            2 * text.chars().count() + 4 * controls
        });
        let wanted = AROUND + characters.iter().sum::<usize>();
        let left = self.0.checked_sub(wanted);
        self.0 = left.unwrap_or(self.0);
        left.is_some()
    }
}

/// Batches within the limits of `log-batch`: params and tags first.
pub(super) fn parts(batch: Batch) -> Vec<Batch> {
    let mut parts = Vec::new();
    let mut params = batch.params.into_iter().peekable();
    let mut tags = batch.tags.into_iter().peekable();
    let mut metrics = batch.metrics.into_iter().peekable();
    loop {
        // The longest param has room in an empty request.
        let (mut part, mut room) = (Batch::default(), Room::new());
        while part.params.len() < limits::BATCH_PARAMS
            && let Some(param) = params.next_if(|param| room.take([&param.key, &param.value]))
        {
            part.params.push(param);
        }
        while part.tags.len() < limits::BATCH_TAGS
            && let Some(tag) = tags.next_if(|tag| room.take([&tag.key, &tag.value]))
        {
            part.tags.push(tag);
        }
        let most = limits::BATCH_TOTAL - part.params.len() - part.tags.len();
        while part.metrics.len() < most.min(limits::BATCH_METRICS)
            && let Some(metric) = metrics.next_if(|metric| room.take([&metric.key, ""]))
        {
            part.metrics.push(metric);
        }
        if part == Batch::default() {
            return parts;
        }
        parts.push(part);
    }
}

#[cfg(test)]
mod tests {
    use runledger_entities::{Metric, Param, Tag};

    use super::*;

    #[test]
    fn long_values_are_split_at_the_size_of_a_request() {
        let params = |n: usize| Param::new(n.to_string(), "\"".repeat(6000));
        let batch = Batch {
            params: (0..100).map(params).collect(),
            tags: vec![Tag::new("t", "x")],
            ..Batch::default()
        };
        let parts = parts(batch.clone());
        assert!(parts.len() > 1);
        for part in &parts {
            let texts = part.params.iter().map(|param| 2 * param.value.len() + 50);
            assert!(texts.sum::<usize>() < limits::BATCH_CHARACTERS);
        }
        let together: Vec<Param> = parts.into_iter().flat_map(|part| part.params).collect();
        assert_eq!(together, batch.params);
    }

    #[test]
    fn a_large_batch_is_split_at_the_limits() {
        let batch = Batch {
            metrics: (0..2100).map(|n| Metric::new("m", 0.0, 0, n)).collect(),
            params: (0..150).map(|n| Param::new(n.to_string(), "")).collect(),
            tags: (0..20).map(|n| Tag::new(n.to_string(), "")).collect(),
        };
        let sizes: Vec<_> = parts(batch.clone())
            .iter()
            .map(|part| (part.metrics.len(), part.params.len(), part.tags.len()))
            .collect();
        assert_eq!(sizes, [(880, 100, 20), (950, 50, 0), (270, 0, 0)]);
        let steps = parts(batch).into_iter().flat_map(|part| part.metrics);
        assert!(steps.map(|metric| metric.step).eq(0..2100));
        assert_eq!(parts(Batch::default()), []);
    }
}
