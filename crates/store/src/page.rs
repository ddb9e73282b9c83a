//! Pages of results.

/// Which part of a result a caller wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// At most this many items.
    pub max_results: u32,
    /// The token of the page before, as that page gave it.
    pub token: Option<String>,
}

/// A part of a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The items, in the order that was asked for.
    pub items: Vec<T>,
    /// The token of the next page; absent on the last one.
    pub next_token: Option<String>,
}

impl<T> Page<T> {
    /// A page without items, and without a next one.
    pub fn empty() -> Self {
        Self {
            items: Vec::new(),
            next_token: None,
        }
    }
}
