//! Page tokens as stores use them.

use runledger_search::PageToken;
use runledger_store::{Page, PageRequest, StoreError};

use crate::sql::Sql;

/// The token of a request.
pub(crate) fn decode(token: &str) -> Result<PageToken, StoreError> {
    PageToken::decode(token).map_err(|error| StoreError::invalid(error.to_string()))
}

/// The error for a token that another search made.
pub(crate) fn foreign() -> StoreError {
    StoreError::invalid("Invalid page token: it belongs to another search. Start without a token.")
}

/// The rows of a page by their number.
pub(crate) struct OffsetPage {
    offset: u64,
    max_results: u32,
}

impl OffsetPage {
    /// The page that a request asks for.
    pub(crate) fn of(request: &PageRequest) -> Result<Self, StoreError> {
        let offset = match &request.token {
            Some(token) => decode(token)?.offset,
            None => 0,
        };
        Ok(Self {
            offset,
            max_results: request.max_results,
        })
    }

    /// Appends the limit: one row more than the page, which tells whether there is a next one.
    pub(crate) fn limit(&self, sql: Sql) -> Sql {
        sql.sql(" limit ")
            .int(i64::from(self.max_results) + 1)
            .sql(" offset ")
            .int(i64::try_from(self.offset).unwrap_or(i64::MAX))
    }

    /// The page of the rows that the limit let through.
    pub(crate) fn page<T>(&self, mut rows: Vec<T>) -> Page<T> {
        let most = usize::try_from(self.max_results).unwrap_or(usize::MAX);
        let more = rows.len() > most;
        rows.truncate(most);
        let next = PageToken {
            offset: self.offset + rows.len() as u64,
            after: None,
        };
        Page {
            items: rows,
            next_token: more.then(|| next.encode()),
        }
    }
}
