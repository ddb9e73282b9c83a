//! Which webhooks are left alone for a while, because nobody answered there.
//!
//! An attempt that nobody answers holds a place for as long as it may take. Were each delivery
//! tried for itself, the ones that wait for a receiver that is away would hold all places.

use std::{collections::HashMap, time::Duration};

use runledger_entities::WebhookId;
use tokio::time::Instant;

/// The webhooks where nobody answered, and until when they rest. One is forgotten with its first
/// answer.
#[derive(Debug, Default)]
pub(super) struct Rests(HashMap<WebhookId, Rest>);

#[derive(Debug)]
struct Rest {
    /// Attempts in a row that nobody answered.
    failures: u32,
    until: Instant,
}

impl Rests {
    /// Somebody answered, whatever it was.
    pub(super) fn answered(&mut self, id: &WebhookId) {
        self.0.remove(id);
    }

    /// Nobody answered: the webhook rests for as long as `pause` says after so many failures.
    /// Deliveries that were on their way together fail as one.
    pub(super) fn failed(
        &mut self,
        id: WebhookId,
        now: Instant,
        pause: impl FnOnce(u32) -> Duration,
    ) {
        let rest = self.0.entry(id).or_insert(Rest {
            failures: 0,
            until: now,
        });
        if rest.until > now {
            return;
        }
        rest.failures = rest.failures.saturating_add(1);
        rest.until = now + pause(rest.failures);
    }

    /// The webhooks that may get nothing now, of those with deliveries on their way (`flying`)
    /// and those that rest: no webhook takes more than `most` places, and one that nobody
    /// answered at takes one.
    pub(super) fn left_out(
        &self,
        flying: &HashMap<WebhookId, usize>,
        most: usize,
        now: Instant,
    ) -> Vec<WebhookId> {
        let resting = self
            .0
            .iter()
            .filter(|(id, rest)| rest.until > now || flying.contains_key(*id))
            .map(|(id, _)| id);
        let busy = flying
            .iter()
            .filter(|(id, count)| **count >= most && !self.0.contains_key(*id))
            .map(|(id, _)| id);
        resting.chain(busy).cloned().collect()
    }

    /// How long it is until the next of them has rested.
    pub(super) fn next(&self, now: Instant) -> Option<Duration> {
        let ends = self.0.values().map(|rest| rest.until);
        let next = ends.filter(|until| *until > now).min()?;
        Some(next - now)
    }

    /// Forgets those that have rested for longer than `age`: nothing waits for them any more.
    pub(super) fn forget_old(&mut self, age: Duration, now: Instant) {
        self.0.retain(|_, rest| rest.until + age > now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAUSE: Duration = Duration::from_secs(10);

    fn id(text: &str) -> WebhookId {
        WebhookId::new(text)
    }

    #[test]
    fn one_that_does_not_answer_rests_and_is_then_tried_once() {
        let (mut rests, now) = (Rests::default(), Instant::now());
        let nobody = HashMap::new();
        for _ in 0..5 {
            rests.failed(id("w"), now, |failures| PAUSE * failures);
        }
        assert_eq!(rests.left_out(&nobody, 5, now), [id("w")]);
        assert_eq!(rests.next(now), Some(PAUSE));
        let later = now + PAUSE;
        assert_eq!(rests.left_out(&nobody, 5, later), []);
        assert_eq!(rests.next(later), None);
        let one = HashMap::from([(id("w"), 1)]);
        assert_eq!(rests.left_out(&one, 5, later), [id("w")]);
        rests.failed(id("w"), later, |failures| PAUSE * failures);
        assert_eq!(rests.next(later), Some(2 * PAUSE));
        rests.answered(&id("w"));
        assert_eq!(rests.left_out(&one, 5, later), []);
    }

    #[test]
    fn one_that_answers_takes_no_more_than_its_places() {
        let (rests, now) = (Rests::default(), Instant::now());
        let flying = HashMap::from([(id("a"), 2), (id("b"), 1)]);
        assert_eq!(rests.left_out(&flying, 2, now), [id("a")]);
    }

    #[test]
    fn what_is_long_gone_is_forgotten() {
        let (mut rests, now) = (Rests::default(), Instant::now());
        rests.failed(id("w"), now, |_| PAUSE);
        rests.forget_old(PAUSE, now + PAUSE);
        assert_eq!(rests.0.len(), 1);
        rests.forget_old(PAUSE, now + 2 * PAUSE);
        assert!(rests.0.is_empty());
    }
}
