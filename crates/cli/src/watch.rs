//! `runledger watch`: charts of runs that go on, in a terminal of any size.
//!
//! `poll` asks, `frame` lays out what `chart` and `canvas` draw, `terminal` shows
//! it. This is the loop around them: keys, signals and time.

mod canvas;
mod chart;
mod frame;
mod poll;
mod terminal;

use std::io::IsTerminal as _;
use std::time::Duration;

use crossterm::event::{Event, EventStream, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use futures_util::StreamExt as _;
use runledger::TrackingError;
use runledger_entities::RunId;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use self::frame::{Surroundings, Taste, charts, frame};
use self::poll::{Look, Poller, Wanted};
use self::terminal::Terminal;
use crate::args::WatchArgs;
use crate::command::{self, CommandError, now};
use crate::report;
use crate::term::Out;
use crate::tracking::{self, Access};

/// The longest pause between two looks at a server that is away.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// How long an answer may take to begin.
const ANSWER_TIME: Duration = Duration::from_secs(15);

/// How often the clock moves without anything else.
const TICK: Duration = Duration::from_secs(1);

/// Shows the runs until a key, a signal or, with `--once`, at once.
pub(crate) fn run(args: &WatchArgs) -> Result<(), CommandError> {
    if !args.once && !std::io::stdout().is_terminal() {
        return Err(CommandError::Usage(
            "stdout is no terminal that could be watched: --once prints one look".to_owned(),
        ));
    }
    command::run(async {
        let mut rest = tracking::rest_options()?;
        rest.timeout = rest.timeout.min(ANSWER_TIME);
        if !args.once {
            // It is asked again anyhow, and shown that it is away.
            rest.max_retries = 0;
        }
        let client = tracking::open_asking(&args.tracking, Access::Read, rest).await?;
        let place = client.uri();
        let wanted = Wanted {
            runs: args.runs.iter().map(|id| RunId::new(id.trim())).collect(),
            experiment: args.experiment_id,
            metrics: args.metrics.clone(),
        };
        if let Some(id) = args.experiment_id {
            client.get_experiment(id).await?;
        }
        let mut poller = Poller::new(client, wanted);
        // The first look is made before the terminal is taken over: a mistake in the
        // command line is one line.
        let size = size();
        let first = poller.look(0, charts(size, args.runs.len().max(1))).await?;
        if args.once {
            return once(&first, &place, size);
        }
        Watching {
            look: first,
            place,
            interval: Duration::from_secs(args.interval.into()),
            taste: Taste::default(),
            first_key: 0,
            trouble: None,
            failures: 0,
        }
        .watch(poller)
        .await
    })
}

/// The columns and rows of the terminal, or of a usual one in a pipe.
fn size() -> (usize, usize) {
    if std::io::stdout().is_terminal() {
        Terminal::size()
    } else {
        (80, 24)
    }
}

fn once(look: &Look, place: &str, size: (usize, usize)) -> Result<(), CommandError> {
    let mut out = Out::new();
    let around = Surroundings {
        place: place.to_owned(),
        trouble: None,
        now: now(),
        has_keys: false,
    };
    for line in frame(size, look, Taste::default(), &around) {
        out.line(line.text(out.look).trim_end())?;
    }
    Ok(out.flush()?)
}

type Looked = (Poller, Result<Look, TrackingError>);

/// What is shown, and what it is made from.
struct Watching {
    look: Look,
    place: String,
    interval: Duration,
    taste: Taste,
    /// The first metric that is to be in sight.
    first_key: usize,
    trouble: Option<String>,
    /// Looks in a row that failed.
    failures: u32,
}

/// What a key or a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    End,
    /// To look again at once.
    Look,
    /// To show the same anew.
    Show,
    Nothing,
}

impl Watching {
    async fn watch(mut self, poller: Poller) -> Result<(), CommandError> {
        let signals = [
            SignalKind::interrupt(),
            SignalKind::terminate(),
            SignalKind::hangup(),
        ];
        let [mut interrupt, mut terminate, mut hangup] = signals.map(signal);
        let (interrupt, terminate, hangup) = (
            interrupt.as_mut().map_err(start)?,
            terminate.as_mut().map_err(start)?,
            hangup.as_mut().map_err(start)?,
        );
        let terminal = Terminal::new()?;
        let mut keys = EventStream::new();
        let mut waiting = Some(poller);
        let mut looking: Option<JoinHandle<Looked>> = None;
        let mut next = Instant::now() + self.interval;
        loop {
            if let Some(poller) = waiting.take_if(|_| Instant::now() >= next) {
                looking = Some(self.begin(poller));
            }
            terminal.show(&self.lines())?;
            let tick = Instant::now() + TICK;
            let wake = if waiting.is_some() {
                next.min(tick)
            } else {
                tick
            };
            let wish = tokio::select! {
                _ = interrupt.recv() => Wish::End,
                _ = terminate.recv() => Wish::End,
                _ = hangup.recv() => Wish::End,
                event = keys.next() => match event {
                    Some(Ok(event)) => self.on(&event),
                    // Without keys it could not be ended.
                    Some(Err(_)) | None => Wish::End,
                },
                done = async { looking.as_mut().expect("the arm is off without it").await },
                    if looking.is_some() =>
                {
                    looking = None;
                    let (poller, found) = done.map_err(|error| {
                        CommandError::Start(std::io::Error::other(error))
                    })?;
                    waiting = Some(poller);
                    next = Instant::now() + self.took(found);
                    Wish::Nothing
                }
                () = sleep_until(wake) => Wish::Nothing,
            };
            match wish {
                Wish::End => return Ok(()),
                Wish::Look => next = Instant::now(),
                Wish::Show | Wish::Nothing => {}
            }
        }
    }

    fn count(&self) -> usize {
        charts(Terminal::size(), self.look.runs.len()).max(1)
    }

    /// Begins a look in a task of its own, so that keys go on.
    fn begin(&self, mut poller: Poller) -> JoinHandle<Looked> {
        let (first, count) = (self.first_key, self.count());
        tokio::spawn(async move {
            let found = poller.look(first, count).await;
            (poller, found)
        })
    }

    /// Takes what a look found; says how long the pause is until the next.
    fn took(&mut self, found: Result<Look, TrackingError>) -> Duration {
        match found {
            Ok(look) => {
                // A page may have been turned meanwhile.
                let is_turned = self.first_key != look.first && self.first_key < look.keys.len();
                if !is_turned {
                    self.first_key = look.first;
                }
                self.look = look;
                self.trouble = None;
                self.failures = 0;
                if is_turned {
                    Duration::ZERO
                } else {
                    self.interval
                }
            }
            Err(error) => {
                self.failures += 1;
                let pause = pause(self.interval, self.failures);
                let words = report::chain(&error).replace('\n', " ");
                self.trouble = Some(format!("again in {} s: {words}", pause.as_secs()));
                pause
            }
        }
    }

    fn lines(&self) -> Vec<chart::Line> {
        let around = Surroundings {
            place: self.place.clone(),
            trouble: self.trouble.clone(),
            now: now(),
            has_keys: true,
        };
        frame(Terminal::size(), &self.look, self.taste, &around)
    }

    fn on(&mut self, event: &Event) -> Wish {
        match event {
            // More charts may fit now.
            Event::Resize(..) => {
                let count = self.count();
                self.first_key = self.first_key / count * count;
                Wish::Look
            }
            Event::Key(key) if key.kind != KeyEventKind::Release => self.on_key(*key),
            _ => Wish::Nothing,
        }
    }

    fn on_key(&mut self, key: KeyEvent) -> Wish {
        let count = self.count();
        match key.code {
            KeyCode::Char('c' | 'd') if key.modifiers.contains(KeyModifiers::CONTROL) => Wish::End,
            KeyCode::Char('q') | KeyCode::Esc => Wish::End,
            KeyCode::Char('l') => {
                self.taste.is_log = !self.taste.is_log;
                Wish::Show
            }
            KeyCode::Char('t') => {
                self.taste.by_time = !self.taste.by_time;
                Wish::Show
            }
            KeyCode::Right | KeyCode::Down | KeyCode::PageDown | KeyCode::Char('n') => {
                if self.first_key + count < self.look.keys.len() {
                    self.first_key += count;
                }
                Wish::Look
            }
            KeyCode::Left | KeyCode::Up | KeyCode::PageUp | KeyCode::Char('p') => {
                self.first_key = self.first_key.saturating_sub(count);
                Wish::Look
            }
            _ => Wish::Nothing,
        }
    }
}

/// Twice as long with each failure.
fn pause(interval: Duration, failures: u32) -> Duration {
    let factor = 2_u32.saturating_pow(failures.min(16));
    interval
        .saturating_mul(factor)
        .min(LONGEST_PAUSE.max(interval))
}

fn start(error: &mut std::io::Error) -> CommandError {
    CommandError::Start(std::io::Error::other(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_a_minute() {
        let of = |failures| pause(Duration::from_secs(2), failures).as_secs();
        assert_eq!([1, 2, 3, 5, 99].map(of), [4, 8, 16, 60, 60]);
        assert_eq!(pause(Duration::from_hours(1), 1), Duration::from_hours(1));
    }
}
