#![doc = include_str!("../README.md")]
#![doc = include_str!("docs/reference.md")]

mod ast;
mod clause;
mod error;
pub mod eval;
mod experiments;
mod grammar;
mod lexer;
pub mod like;
mod logged_model_page;
mod logged_models;
mod model_versions;
mod page;
mod print;
mod print_traces;
mod python;
mod registered_models;
mod registry;
mod runs;
mod trace_metrics;
mod traces;

pub use ast::*;
pub use clause::MAX_CLAUSES;
pub use error::SearchError;
pub use experiments::{parse_experiment_filter, parse_experiment_order};
pub use grammar::MAX_LENGTH;
pub use logged_model_page::{LoggedModelPageError, SearchedLoggedModels, SearchedOrder};
pub use logged_models::{parse_logged_model_filter, parse_logged_model_order_field};
pub use model_versions::{parse_model_version_filter, parse_model_version_order};
pub use page::{MAX_PAGE_TOKEN, PageToken, PageTokenError};
pub use registered_models::{parse_registered_model_filter, parse_registered_model_order};
pub use runs::{parse_run_filter, parse_run_order};
pub use trace_metrics::parse_trace_metric_filter;
pub use traces::{parse_trace_filter, parse_trace_order};
