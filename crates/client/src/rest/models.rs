//! The methods of [`LoggedModelStore`] (MLflow 3).

use async_trait::async_trait;
use runledger_entities::{LoggedModel, LoggedModelId, Param, RunId, Tag};
use runledger_protocol::Endpoint;
use runledger_search::{LoggedModelClause, LoggedModelKey, Order};
use runledger_store::{
    DatasetFilter, LoggedModelPatch, LoggedModelQuery, LoggedModelStore, NewLoggedModel, Page,
    Resource, StoreError,
};
use serde_json::{Map, Value, json};

use super::call::{Call, body};
use super::tracking::{check_spelling, joined, plainly};
use super::{RestStore, answers, gather::Gather, refusal, requests};

/// Models of one request, as many as servers give.
const PAGE: u32 = 1000;

#[async_trait]
impl LoggedModelStore for RestStore {
    async fn create_logged_model(&self, new: NewLoggedModel) -> Result<LoggedModel, StoreError> {
        let mut body = Map::new();
        let id = new.experiment_id;
        body.insert("experiment_id".to_owned(), json!(id.to_string()));
        requests::insert(&mut body, "name", new.name.as_deref());
        requests::insert(&mut body, "model_type", new.model_type.as_deref());
        let source = new.source_run_id.as_ref().map(RunId::as_str);
        requests::insert(&mut body, "source_run_id", source);
        let params = requests::list(&new.params, requests::param);
        body.insert("params".to_owned(), params);
        body.insert("tags".to_owned(), requests::list(&new.tags, requests::tag));
        let answer = self
            .post_once(Endpoint::CreateLoggedModel, &Value::Object(body))
            .await
            .map_err(refusal::of_experiment(id))?;
        answers::logged_model(answers::member(&answer, "model")?)
    }

    async fn get_logged_model(&self, id: &LoggedModelId) -> Result<LoggedModel, StoreError> {
        let call = Call::of(Endpoint::GetLoggedModel);
        let answer = self.of_model(id, call).await;
        let answer = answer.map_err(refusal::of_model(id))?;
        answers::logged_model(answers::member(&answer, "model")?)
    }

    async fn search_logged_models(
        &self,
        query: LoggedModelQuery,
    ) -> Result<Page<LoggedModel>, StoreError> {
        // Servers refuse a search of no experiments.
        if query.experiment_ids.is_empty() {
            return Ok(Page::empty());
        }
        let filter = filter(&query.filter)?;
        let ids = query.experiment_ids.iter().map(ToString::to_string);
        let ids: Vec<String> = ids.collect();
        let mut gather = Gather::new(query.page, PAGE);
        while let Some(page) = gather.next() {
            let mut body = Map::new();
            body.insert("experiment_ids".to_owned(), json!(ids));
            if !filter.is_empty() {
                body.insert("filter".to_owned(), json!(filter));
            }
            let datasets = requests::list(&query.datasets, dataset);
            body.insert("datasets".to_owned(), datasets);
            body.insert("max_results".to_owned(), json!(page.max_results));
            body.insert(
                "order_by".to_owned(),
                requests::list(&query.order_by, order),
            );
            requests::insert(&mut body, "page_token", page.token.as_deref());
            let answer = self
                .post(Endpoint::SearchLoggedModels, &Value::Object(body))
                .await
                .map_err(plainly)?;
            gather.add(answers::page(&answer, "models", answers::logged_model)?);
        }
        Ok(gather.page())
    }

    async fn update_logged_model(
        &self,
        id: &LoggedModelId,
        patch: LoggedModelPatch,
    ) -> Result<LoggedModel, StoreError> {
        let body = body(&json!({"model_id": id.as_str(), "status": patch.status.name()}));
        let call = Call::of(Endpoint::FinalizeLoggedModel).with(&body);
        let answer = self.of_model(id, call).await;
        let answer = answer.map_err(refusal::of_model(id))?;
        answers::logged_model(answers::member(&answer, "model")?)
    }

    async fn delete_logged_model(&self, id: &LoggedModelId) -> Result<(), StoreError> {
        let call = Call::of(Endpoint::DeleteLoggedModel).once();
        let deleted = self.of_model(id, call).await;
        deleted.map(drop).map_err(refusal::of_model(id))
    }

    async fn set_logged_model_tags(
        &self,
        id: &LoggedModelId,
        tags: Vec<Tag>,
    ) -> Result<(), StoreError> {
        let tags = requests::list(&tags, requests::tag);
        let body = body(&json!({"model_id": id.as_str(), "tags": tags}));
        let call = Call::of(Endpoint::SetLoggedModelTags).with(&body);
        let set = self.of_model(id, call).await;
        set.map(drop).map_err(refusal::of_model(id))
    }

    async fn delete_logged_model_tag(
        &self,
        id: &LoggedModelId,
        key: &str,
    ) -> Result<(), StoreError> {
        let path = [("model_id", id.as_str()), ("tag_key", key)];
        let call = Call::of(Endpoint::DeleteLoggedModelTag).at(&path).once();
        self.call(call).await.map(drop).map_err(|error| {
            let mut candidates = refusal::model(id);
            candidates.push(StoreError::not_found_in(Resource::LoggedModelTag, key, id));
            refusal::known(error, candidates)
        })
    }

    async fn log_logged_model_params(
        &self,
        id: &LoggedModelId,
        params: Vec<Param>,
    ) -> Result<(), StoreError> {
        let params = requests::list(&params, requests::param);
        let body = body(&json!({"model_id": id.as_str(), "params": params}));
        let call = Call::of(Endpoint::LogLoggedModelParams).with(&body);
        let logged = self.of_model(id, call).await;
        logged.map(drop).map_err(refusal::of_model(id))
    }
}

impl RestStore {
    /// Calls an endpoint of one model.
    async fn of_model(&self, id: &LoggedModelId, call: Call<'_>) -> Result<Value, StoreError> {
        // The path of no model is that of all.
        if id.as_str().is_empty() {
            return Err(StoreError::not_found(Resource::LoggedModel, id));
        }
        self.call(call.at(&[("model_id", id.as_str())])).await
    }
}

fn filter(clauses: &[LoggedModelClause]) -> Result<String, StoreError> {
    let text = joined(clauses);
    check_spelling(&text, clauses, runledger_search::parse_logged_model_filter)?;
    Ok(text)
}

fn dataset(dataset: &DatasetFilter) -> Value {
    let mut object = Map::new();
    object.insert("dataset_name".to_owned(), json!(dataset.name));
    requests::insert(&mut object, "dataset_digest", dataset.digest.as_deref());
    Value::Object(object)
}

fn order(order: &Order<LoggedModelKey>) -> Value {
    let mut object = Map::new();
    let field = match &order.key {
        LoggedModelKey::Metric {
            key,
            dataset_name,
            dataset_digest,
        } => {
            requests::insert(&mut object, "dataset_name", dataset_name.as_deref());
            requests::insert(&mut object, "dataset_digest", dataset_digest.as_deref());
            format!("metrics.{key}")
        }
        LoggedModelKey::Text(column) => column.name().to_owned(),
        LoggedModelKey::Number(column) => column.name().to_owned(),
    };
    object.insert("field_name".to_owned(), json!(field));
    object.insert("ascending".to_owned(), json!(!order.descending));
    Value::Object(object)
}
