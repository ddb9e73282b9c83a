//! Autologging through its public doors: tiny trainings whose runs are read back.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod burn;
mod candle;
mod linfa;
mod smartcore;
mod world;
