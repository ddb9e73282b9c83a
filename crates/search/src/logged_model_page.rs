//! Page tokens of searches of logged models, which hold the search as well.
//!
//! A token is good for the search that gave it only: what it holds is compared
//! with the request (MLflow 3.x).

use base64::{Engine, engine::general_purpose::STANDARD};
use runledger_entities::{Coded, ErrorCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    MAX_PAGE_TOKEN, PageToken,
    page::{PageTokenError, lenient_base64},
    python,
};

/// A search of logged models, as its page tokens hold it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchedLoggedModels {
    /// The experiments' ids, as the client wrote them.
    #[serde(default)]
    pub experiment_ids: Vec<String>,
    /// The filter; none if it is empty.
    #[serde(default)]
    pub filter_string: Option<String>,
    /// The order; none if it is empty.
    #[serde(default)]
    pub order_by: Option<Vec<SearchedOrder>>,
}

/// A part of the order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchedOrder {
    /// What to order by.
    pub field_name: String,
    /// Smallest first.
    pub ascending: bool,
    /// Only values on a dataset of this name.
    #[serde(default)]
    pub dataset_name: Option<String>,
    /// Only values on a dataset of this digest.
    #[serde(default)]
    pub dataset_digest: Option<String>,
}

/// A page token that cannot be read, or that is another search's. The messages
/// are MLflow 3.17's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LoggedModelPageError {
    /// It cannot be read.
    #[error(transparent)]
    Page(#[from] PageTokenError),
    /// Not JSON of the right form.
    #[error("Invalid page token: {token}. Expecting value: line 1 column 1 (char 0)")]
    Malformed {
        /// The token, cut.
        token: String,
    },
    /// It is another search's.
    #[error(
        "{what} in the page token {} not match the requested {}. Expected: {expected}. Found: {found}",
        if what.ends_with('s') { "do" } else { "does" },
        words(what)
    )]
    OtherSearch {
        /// What differs.
        what: &'static str,
        /// As Python prints what the request has.
        expected: String,
        /// As Python prints what the token has.
        found: String,
    },
}

/// What the request calls it, inside of a sentence.
fn words(what: &str) -> String {
    match what.strip_prefix('E') {
        // Of "Experiment IDs".
        Some(rest) => format!("e{rest}"),
        None => what.to_lowercase(),
    }
}

impl Coded for LoggedModelPageError {
    fn code(&self) -> ErrorCode {
        ErrorCode::InvalidParameterValue
    }
}

#[derive(Serialize, Deserialize)]
struct Token {
    #[serde(flatten)]
    search: SearchedLoggedModels,
    #[serde(default)]
    offset: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<Vec<Value>>,
}

impl SearchedLoggedModels {
    /// The token for the page of this search that the store's own token `page` is for.
    ///
    /// # Errors
    /// [`PageTokenError`] if that is none.
    pub fn token(&self, page: &str) -> Result<String, PageTokenError> {
        let page = PageToken::decode(page)?;
        let token = Token {
            search: self.clone(),
            offset: Some(page.offset),
            after: page.after,
        };
        // Texts and numbers are always written.
        Ok(STANDARD.encode(serde_json::to_vec(&token).unwrap_or_default()))
    }

    /// The store's token of the page that a request of this search asks for.
    ///
    /// # Errors
    /// [`LoggedModelPageError`] if the token cannot be read, or is another search's.
    pub fn page(&self, token: &str) -> Result<String, LoggedModelPageError> {
        let length = token.len();
        if length > MAX_PAGE_TOKEN {
            return Err(PageTokenError::TooLong { length }.into());
        }
        let decoded = lenient_base64(token).ok_or(PageTokenError::Base64)?;
        let found: Token =
            serde_json::from_slice(&decoded).map_err(|_| LoggedModelPageError::Malformed {
                token: token.chars().take(200).collect(),
            })?;
        self.compare(&found.search)?;
        let page = PageToken {
            offset: found.offset.unwrap_or(0),
            after: found.after,
        };
        Ok(page.encode())
    }

    fn compare(&self, found: &Self) -> Result<(), LoggedModelPageError> {
        let differ = |what, expected, found| {
            Err(LoggedModelPageError::OtherSearch {
                what,
                expected,
                found,
            })
        };
        if self.experiment_ids != found.experiment_ids {
            let print = |ids: &[String]| python::list(ids.iter().map(|id| python::text(id)));
            return differ(
                "Experiment IDs",
                print(&self.experiment_ids),
                print(&found.experiment_ids),
            );
        }
        if self.filter_string != found.filter_string {
            let print = |filter: &Option<String>| filter.clone().unwrap_or("None".to_owned());
            return differ(
                "Filter string",
                print(&self.filter_string),
                print(&found.filter_string),
            );
        }
        if self.order_by != found.order_by {
            let print = |order: &Option<Vec<SearchedOrder>>| match order {
                Some(order) => python::list(order.iter().map(SearchedOrder::print)),
                None => "None".to_owned(),
            };
            return differ("Order by", print(&self.order_by), print(&found.order_by));
        }
        Ok(())
    }
}

impl SearchedOrder {
    /// As Python prints it.
    fn print(&self) -> String {
        let optional =
            |text: &Option<String>| text.as_deref().map_or("None".to_owned(), python::text);
        format!(
            "{{'field_name': {}, 'ascending': {}, 'dataset_name': {}, 'dataset_digest': {}}}",
            python::text(&self.field_name),
            if self.ascending { "True" } else { "False" },
            optional(&self.dataset_name),
            optional(&self.dataset_digest)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search() -> SearchedLoggedModels {
        SearchedLoggedModels {
            experiment_ids: vec!["1".to_owned()],
            filter_string: Some("name = 'x'".to_owned()),
            order_by: None,
        }
    }

    #[test]
    fn a_token_leads_back_to_its_page() {
        let page = PageToken {
            offset: 3,
            after: Some(vec![Value::from("k")]),
        };
        let token = search().token(&page.encode()).unwrap();
        assert_eq!(search().page(&token).unwrap(), page.encode());
    }

    #[test]
    fn mlflows_token_is_read() {
        let token = STANDARD.encode(
            r#"{"experiment_ids": ["1"], "filter_string": "name = 'x'", "order_by": null, "offset": 2}"#,
        );
        let page = PageToken {
            offset: 2,
            after: None,
        };
        assert_eq!(search().page(&token).unwrap(), page.encode());
    }

    #[test]
    fn a_token_of_another_search_is_refused() {
        let order = SearchedOrder {
            field_name: "name".to_owned(),
            ascending: true,
            dataset_name: None,
            dataset_digest: None,
        };
        for (other, message) in [
            (
                SearchedLoggedModels {
                    experiment_ids: vec!["2".to_owned()],
                    ..search()
                },
                "Experiment IDs in the page token do not match the requested experiment IDs. \
                 Expected: ['1']. Found: ['2']",
            ),
            (
                SearchedLoggedModels {
                    filter_string: None,
                    ..search()
                },
                "Filter string in the page token does not match the requested filter string. \
                 Expected: name = 'x'. Found: None",
            ),
            (
                SearchedLoggedModels {
                    order_by: Some(vec![order]),
                    ..search()
                },
                "Order by in the page token does not match the requested order by. Expected: \
                 None. Found: [{'field_name': 'name', 'ascending': True, 'dataset_name': None, \
                 'dataset_digest': None}]",
            ),
        ] {
            let token = STANDARD.encode(
                serde_json::to_vec(&Token {
                    search: other,
                    offset: Some(1),
                    after: None,
                })
                .unwrap(),
            );
            assert_eq!(search().page(&token).unwrap_err().to_string(), message);
        }
        assert!(search().page("!!").is_err());
    }
}
