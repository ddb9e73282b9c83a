//! `/graphql`: the queries that MLflow's own web UI sends.
//!
//! The schema stands in `schema.graphql`. Its fields are answered by the REST
//! endpoints, so that nothing can be asked here that REST would not answer; all
//! that GraphQL adds is which parts of an answer are wanted.

mod directives;
mod limits;
mod resolve;
mod schema;

use std::sync::Arc;

use async_graphql::{Request, Variables, parser::parse_query};
use serde::{Deserialize, Serialize};

use crate::{app::App, failure::Failure, handlers::Reply, reply};

/// The body of a request.
#[derive(Deserialize)]
struct Body {
    query: Option<String>,
    #[serde(default)]
    variables: Option<serde_json::Value>,
    #[serde(default, rename = "operationName")]
    operation_name: Option<String>,
}

/// The body of an answer. MLflow writes errors as plain texts.
#[derive(Serialize)]
struct Answer<'a> {
    data: &'a async_graphql::Value,
    errors: Option<Vec<&'a str>>,
}

/// Answers a query; what is wrong with it stands in the answer, as GraphQL has it.
pub(crate) async fn execute(app: &Arc<App>, body: &[u8]) -> Reply {
    let body: Body = serde_json::from_slice(body).map_err(|error| {
        Failure::invalid(format!(
            "The body is not a GraphQL request ({error}). Send {{\"query\": …}} as JSON; one \
             query in each request."
        ))
    })?;
    let query = body.query.unwrap_or_default();
    let mut document = parse_query(&query)
        .map_err(|error| Failure::invalid(format!("Invalid value for 'query': {error}")))?;
    let checked = limits::check(&document, &app.limits)
        .and_then(|()| directives::take_component(&mut document));
    if let Err(refusal) = checked {
        return answer(&async_graphql::Value::Null, Some(vec![refusal.as_str()]));
    }
    let mut request = Request::new(query).data(resolve::Source::new(app));
    request.set_parsed_query(document);
    request.operation_name = body.operation_name;
    if let Some(variables) = body.variables {
        request = request.variables(Variables::from_json(variables));
    }
    let response = schema::schema().execute(request).await;
    let errors = response.errors.iter().map(|error| error.message.as_str());
    let errors = (!response.errors.is_empty()).then(|| errors.collect());
    answer(&response.data, errors)
}

fn answer(data: &async_graphql::Value, errors: Option<Vec<&str>>) -> Reply {
    match serde_json::to_vec(&Answer { data, errors }) {
        Ok(text) => Ok(reply::json(text)),
        Err(error) => Err(Failure::invalid(format!(
            "The answer cannot be written as JSON: {error}"
        ))),
    }
}
