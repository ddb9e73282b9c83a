//! Tests of the public interface.

mod evaluation;
mod limits;
mod recorded;
mod round_trip;
mod round_trip_traces;
mod trees;
