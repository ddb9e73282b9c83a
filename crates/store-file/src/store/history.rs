//! Histories of metrics, read from their files.
//!
//! A file is in the order in which points were logged, an answer in that of its
//! question. A page holds on to no more points than it returns; a sample
//! of a file that is not in order holds on to all of them.

use std::{cmp::Ordering, collections::BinaryHeap, ops::ControlFlow};

use runledger_entities::{Metric, RunId};
use runledger_search::PageToken;
use runledger_store::{BulkHistoryQuery, HistoryQuery, IntervalQuery, Page, RunMetric, StoreError};
use serde_json::Value;

use super::{Files, unreadable};
use crate::folder::{Scratch, metrics::history};

/// How many points of a file that is not in order are sorted at most: 192 MB.
const MOST_SORTED: usize = 8_000_000;

/// A point in the order of a history: by time, step and value, NaN as 0 and
/// behind it, as the SQL store keeps it.
#[derive(Clone, Copy, Debug)]
struct Placed {
    timestamp: i64,
    step: i64,
    value: f64,
}

impl Placed {
    fn key(&self) -> (i64, i64, f64, bool) {
        let is_nan = self.value.is_nan();
        let value = if is_nan { 0.0 } else { self.value };
        (self.timestamp, self.step, value, is_nan)
    }

    fn metric(self, key: &str) -> Metric {
        Metric::new(key, self.value, self.timestamp, self.step)
    }

    /// The order of a sample: by step first.
    fn by_step(&self, other: &Self) -> Ordering {
        let (a, b) = (self.key(), other.key());
        (a.1, a.0)
            .cmp(&(b.1, b.0))
            .then(a.2.total_cmp(&b.2))
            .then(a.3.cmp(&b.3))
    }
}

impl Ord for Placed {
    fn cmp(&self, other: &Self) -> Ordering {
        let (a, b) = (self.key(), other.key());
        (a.0, a.1)
            .cmp(&(b.0, b.1))
            .then(a.2.total_cmp(&b.2))
            .then(a.3.cmp(&b.3))
    }
}

impl PartialOrd for Placed {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Placed {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Placed {}

/// Where a page begins.
#[derive(Default)]
struct Start {
    /// How many points come before.
    offset: u64,
    /// The last point before, and how many equal ones come before with it: equal
    /// points stay in a file.
    after: Option<(Placed, u64)>,
}

impl Start {
    fn of(token: Option<&str>) -> Result<Self, StoreError> {
        let Some(token) = token else {
            return Ok(Self::default());
        };
        let PageToken { offset, after } =
            PageToken::decode(token).map_err(|error| StoreError::invalid(error.to_string()))?;
        let after = match after {
            None => None,
            Some(after) => Some(place_of(&after).ok_or_else(|| {
                StoreError::invalid(
                    "Invalid page token: it belongs to another search. Start without a token.",
                )
            })?),
        };
        Ok(Self { offset, after })
    }
}

fn place_of(after: &[Value]) -> Option<(Placed, u64)> {
    let [timestamp, step, value, equal] = after else {
        return None;
    };
    let placed = Placed {
        timestamp: timestamp.as_i64()?,
        step: step.as_i64()?,
        value: f64::from_bits(value.as_u64()?),
    };
    Some((placed, equal.as_u64()?))
}

impl Files {
    /// Gives the points of a series to `visit`, in the order of the file.
    fn points(
        &self,
        run: &RunId,
        key: &str,
        mut visit: impl FnMut(Placed) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let Some(run) = self.find_run(run)? else {
            return Ok(());
        };
        let visited = history(&run, key, &mut Scratch::default(), |point| {
            visit(Placed {
                timestamp: point.timestamp,
                step: point.step,
                value: point.value,
            })
        });
        match visited {
            // No file can have this name.
            Err(crate::FolderError::Key { .. }) => Ok(()),
            visited => visited.map_err(|error| unreadable(&error)),
        }
    }

    /// The first points after `start` in the order of a history.
    fn first_points(
        &self,
        run: &RunId,
        key: &str,
        start: &Start,
        most: usize,
    ) -> Result<Vec<Placed>, StoreError> {
        let (after, mut equal) = match start.after {
            Some((after, equal)) => (Some(after), equal),
            None => (None, 0),
        };
        // Without a place, the points before it are kept too, to be passed over.
        let passed_over = match after {
            Some(_) => 0,
            None => usize::try_from(start.offset).unwrap_or(usize::MAX),
        };
        let most = most.saturating_add(passed_over);
        let mut kept: BinaryHeap<Placed> = BinaryHeap::new();
        self.points(run, key, |point| {
            let comes = after.map_or(Ordering::Greater, |after| point.cmp(&after));
            let is_before = match comes {
                Ordering::Less => true,
                Ordering::Equal if equal > 0 => {
                    equal -= 1;
                    true
                }
                _ => false,
            };
            if is_before || most == 0 {
                return ControlFlow::Continue(());
            }
            if kept.len() < most {
                kept.push(point);
            } else if let Some(mut last) = kept.peek_mut()
                && point < *last
            {
                *last = point;
            }
            ControlFlow::Continue(())
        })?;
        let mut points = kept.into_sorted_vec();
        points.drain(..passed_over.min(points.len()));
        Ok(points)
    }

    pub(super) fn metric_history(&self, query: &HistoryQuery) -> Result<Page<Metric>, StoreError> {
        let start = Start::of(query.page.token.as_deref())?;
        let most = usize::try_from(query.page.max_results).unwrap_or(usize::MAX);
        let mut points =
            self.first_points(&query.run_id, &query.key, &start, most.saturating_add(1))?;
        let more = points.len() > most;
        points.truncate(most);
        let next_token = points.last().filter(|_| more).map(|last| {
            let mut equal = points.iter().filter(|point| *point == last).count() as u64;
            if let Some((after, before)) = &start.after
                && after == last
            {
                equal += before;
            }
            let after = vec![
                last.timestamp.into(),
                last.step.into(),
                last.value.to_bits().into(),
                equal.into(),
            ];
            let token = PageToken {
                offset: start.offset + points.len() as u64,
                after: Some(after),
            };
            token.encode()
        });
        let items = points
            .into_iter()
            .map(|point| point.metric(&query.key))
            .collect();
        Ok(Page { items, next_token })
    }

    pub(super) fn bulk_metric_history(
        &self,
        query: &BulkHistoryQuery,
    ) -> Result<Vec<RunMetric>, StoreError> {
        let mut run_ids: Vec<&RunId> = query.run_ids.iter().collect();
        run_ids.sort_unstable();
        run_ids.dedup();
        let most = usize::try_from(query.max_results).unwrap_or(usize::MAX);
        let mut metrics = Vec::new();
        for run_id in run_ids {
            let left = most - metrics.len();
            if left == 0 {
                break;
            }
            let points = self.first_points(run_id, &query.key, &Start::default(), left)?;
            metrics.extend(points.into_iter().map(|point| RunMetric {
                run_id: run_id.clone(),
                metric: point.metric(&query.key),
            }));
        }
        Ok(metrics)
    }

    pub(super) fn metric_interval(
        &self,
        query: &IntervalQuery,
    ) -> Result<Vec<RunMetric>, StoreError> {
        let mut metrics = Vec::new();
        for run_id in &query.run_ids {
            let points = self.sample(run_id, query)?;
            metrics.extend(points.into_iter().map(|point| RunMetric {
                run_id: run_id.clone(),
                metric: point.metric(&query.key),
            }));
        }
        Ok(metrics)
    }

    /// The first of each of `max_results` equal parts, and the last point of the
    /// last (MLflow 3.17).
    fn sample(&self, run: &RunId, query: &IntervalQuery) -> Result<Vec<Placed>, StoreError> {
        let (first, last) = query.steps.unwrap_or((i64::MIN, i64::MAX));
        let asked = |point: &Placed| (first..=last).contains(&point.step);
        let mut count = 0;
        let mut is_sorted = true;
        let mut previous: Option<Placed> = None;
        self.points(run, &query.key, |point| {
            if asked(&point) {
                count += 1;
                is_sorted &= previous.is_none_or(|before| before.by_step(&point).is_le());
                previous = Some(point);
            }
            ControlFlow::Continue(())
        })?;
        let places = Places::of(
            count,
            usize::try_from(query.max_results).unwrap_or(usize::MAX),
        );
        let mut sampled = Vec::new();
        if is_sorted {
            let mut place = 0;
            self.points(run, &query.key, |point| {
                if asked(&point) && place < count {
                    if places.has(place) {
                        sampled.push(point);
                    }
                    place += 1;
                }
                ControlFlow::Continue(())
            })?;
            return Ok(sampled);
        }
        if count > MOST_SORTED {
            return Err(StoreError::invalid(format!(
                "The history of metric '{}' of run '{run}' has {count} points that are not in \
                 the order of their steps, too many to sort: ask for a smaller range of steps.",
                query.key
            )));
        }
        let mut points = Vec::with_capacity(count);
        self.points(run, &query.key, |point| {
            if asked(&point) && points.len() < count {
                points.push(point);
            }
            ControlFlow::Continue(())
        })?;
        points.sort_by(Placed::by_step);
        for (place, point) in points.into_iter().enumerate() {
            if places.has(place) {
                sampled.push(point);
            }
        }
        Ok(sampled)
    }
}

/// Which of so many points belong to a sample.
struct Places {
    count: usize,
    parts: usize,
}

impl Places {
    fn of(count: usize, parts: usize) -> Self {
        Self {
            count,
            parts: parts.max(1),
        }
    }

    fn has(&self, place: usize) -> bool {
        if self.count <= self.parts {
            return true;
        }
        // The first `count % parts` parts have one point more than the others.
        let (short, longer) = (self.count / self.parts, self.count % self.parts);
        let in_longer = longer * (short + 1);
        if place == self.count - 1 {
            return true;
        }
        if place >= self.count - short {
            return false;
        }
        if place < in_longer {
            place.is_multiple_of(short + 1)
        } else {
            (place - in_longer).is_multiple_of(short)
        }
    }
}
