//! What clients with bad intentions, or bad luck, can send: the server says no, stays up, and stays small.

mod bodies;
mod connections;
mod endpoints;
mod memory;
mod origins;
mod paths;
mod wire;
