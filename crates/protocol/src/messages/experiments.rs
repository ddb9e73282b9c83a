//! `experiments/*`, but for the dataset search.

use runledger_entities::{Experiment, ExperimentId, Tag, ViewType};

use super::{Request, most, pairs, search_max_results};
use crate::{
    Input, RequestError,
    json::{
        decode::decode,
        field::List,
        message::messages,
        write::{self, Object},
    },
};

messages! {
    /// `experiments/create`
    CreateBody {
        name: String,
        artifact_location: String,
        tags: List<pairs::Pair, { most::PAIRS }>,
    }
    /// `experiments/get`, `delete`, `restore`
    IdBody {
        experiment_id: String,
    }
    /// `experiments/get-by-name`
    NameBody {
        experiment_name: String,
    }
    /// `experiments/search`
    SearchBody {
        view_type: ViewType,
        max_results: i64,
        order_by: List<String, { most::ORDER_BY }>,
        filter: String,
        page_token: String,
    }
    /// `experiments/update`
    UpdateBody {
        experiment_id: String,
        new_name: String,
    }
    /// `experiments/set-experiment-tag`, `delete-experiment-tag`
    TagBody {
        experiment_id: String,
        key: String,
        value: String,
    }
}

/// Asks for a new experiment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateExperiment {
    /// Its name, not empty.
    pub name: String,
    /// The URI under which its runs keep artifacts.
    pub artifact_location: Option<String>,
    /// Its tags.
    pub tags: Vec<Tag>,
}

impl Request for CreateExperiment {
    fn decode(input: Input<'_>) -> Result<Self, RequestError> {
        let body: CreateBody = decode(input)?;
        Ok(Self {
            name: body.name.required_text("name")?,
            artifact_location: body.artifact_location.non_empty("artifact_location")?,
            tags: pairs::tags(body.tags, "tags")?,
        })
    }
}

/// Names an experiment by its id: to get, delete or restore it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExperimentById {
    /// The id as the client wrote it.
    pub experiment_id: String,
}

impl Request for ExperimentById {
    fn decode(input: Input<'_>) -> Result<Self, RequestError> {
        let body: IdBody = decode(input)?;
        Ok(Self {
            experiment_id: body.experiment_id.required_text("experiment_id")?,
        })
    }
}

/// Names an experiment by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExperimentByName {
    /// The name.
    pub experiment_name: String,
}

impl Request for ExperimentByName {
    fn decode(input: Input<'_>) -> Result<Self, RequestError> {
        let body: NameBody = decode(input)?;
        Ok(Self {
            experiment_name: body.experiment_name.required_text("experiment_name")?,
        })
    }
}

/// Searches experiments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchExperiments {
    /// Active, deleted or both.
    pub view_type: ViewType,
    /// Results per page; within MLflow's limit.
    pub max_results: u32,
    /// Order-by clauses.
    pub order_by: Vec<String>,
    /// The filter; empty if absent.
    pub filter: String,
    /// The page.
    pub page_token: Option<String>,
}

impl Request for SearchExperiments {
    fn decode(input: Input<'_>) -> Result<Self, RequestError> {
        let body: SearchBody = decode(input)?;
        Ok(Self {
            view_type: body.view_type.or_default("view_type")?,
            // There is no default: MLflow refuses a search without a limit.
            max_results: search_max_results(body.max_results.or_default("max_results")?)?,
            order_by: body.order_by.all("order_by")?,
            filter: body.filter.or_default("filter")?,
            page_token: body.page_token.non_empty("page_token")?,
        })
    }
}

/// Renames an experiment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdateExperiment {
    /// The id as the client wrote it.
    pub experiment_id: String,
    /// The new name, not empty.
    pub new_name: String,
}

impl Request for UpdateExperiment {
    fn decode(input: Input<'_>) -> Result<Self, RequestError> {
        let body: UpdateBody = decode(input)?;
        Ok(Self {
            experiment_id: body.experiment_id.required_text("experiment_id")?,
            new_name: body.new_name.required_text("new_name")?,
        })
    }
}

/// Sets a tag of an experiment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetExperimentTag {
    /// The id as the client wrote it.
    pub experiment_id: String,
    /// The tag.
    pub tag: Tag,
}

impl Request for SetExperimentTag {
    fn decode(input: Input<'_>) -> Result<Self, RequestError> {
        let body: TagBody = decode(input)?;
        Ok(Self {
            experiment_id: body.experiment_id.required_text("experiment_id")?,
            tag: Tag {
                key: body.key.required_text("key")?,
                value: body.value.or_default("value")?,
            },
        })
    }
}

/// Deletes a tag of an experiment (MLflow 3.x).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeleteExperimentTag {
    /// The id as the client wrote it.
    pub experiment_id: String,
    /// The tag's key.
    pub key: String,
}

impl Request for DeleteExperimentTag {
    fn decode(input: Input<'_>) -> Result<Self, RequestError> {
        let body: TagBody = decode(input)?;
        Ok(Self {
            experiment_id: body.experiment_id.required_text("experiment_id")?,
            key: body.key.required_text("key")?,
        })
    }
}

/// The answer to `experiments/create`.
pub fn created(id: ExperimentId) -> Vec<u8> {
    write::object(|o| o.id("experiment_id", id))
}

/// The answer to `experiments/get` and `get-by-name`.
pub fn one(experiment: &Experiment) -> Vec<u8> {
    write::object(|o| o.object("experiment", |o| write_experiment(o, experiment)))
}

/// The answer to `experiments/search`.
pub fn page(experiments: &[Experiment], next_page_token: Option<&str>) -> Vec<u8> {
    write::object(|o| {
        o.list("experiments", experiments, write_experiment);
        o.maybe_text("next_page_token", next_page_token);
    })
}

fn write_experiment(o: &mut Object<'_>, experiment: &Experiment) {
    o.id("experiment_id", experiment.experiment_id);
    o.text("name", &experiment.name);
    o.text("artifact_location", &experiment.artifact_location);
    o.text("lifecycle_stage", experiment.lifecycle_stage.name());
    o.maybe_int("last_update_time", experiment.last_update_time);
    o.maybe_int("creation_time", experiment.creation_time);
    o.list("tags", &experiment.tags, pairs::write_tag);
    o.text("workspace", "default");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_without_a_limit_is_refused() {
        let error = SearchExperiments::decode(Input::Body(b"{}")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "Invalid value 0 for parameter 'max_results' supplied. It must be a positive integer"
        );
        let error = SearchExperiments::decode(Input::Query("max_results=50001")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "Invalid value 50001 for parameter 'max_results' supplied. It must be at most 50000"
        );
    }

    #[test]
    fn an_experiment_has_mlflows_fields() {
        let experiment = Experiment {
            experiment_id: ExperimentId(7),
            name: "e".to_owned(),
            artifact_location: "mlflow-artifacts:/7".to_owned(),
            lifecycle_stage: runledger_entities::LifecycleStage::Active,
            creation_time: Some(1),
            last_update_time: Some(2),
            tags: vec![Tag::new("a", "b")],
        };
        assert_eq!(
            String::from_utf8(one(&experiment)).unwrap(),
            r#"{"experiment":{"experiment_id":"7","name":"e","artifact_location":"mlflow-artifacts:/7","lifecycle_stage":"active","last_update_time":2,"creation_time":1,"tags":[{"key":"a","value":"b"}],"workspace":"default"}}"#
        );
        assert_eq!(page(&[], None), b"{}");
    }
}
