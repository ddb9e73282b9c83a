//! What a run read and made: datasets, and logged models.
//!
//! A dataset lies in its experiment, where several runs share it; a run has one
//! small file per dataset or model.

use std::fmt::Write as _;

use md5::{Digest as _, Md5};
use runledger_entities::{
    Dataset, DatasetInput, LoggedModelId, ModelInput, ModelOutput, RunId, RunInputs, Tag,
};

use super::Scratch;
use super::meta::{self, Fields, text_of};
use crate::FolderError;
use crate::layout::{ExperimentFolder, META, RunFolder, text_id};
use crate::write::Sync;
use crate::yaml::{Map, Yaml};

const DATASETS: &str = "datasets";
const INPUTS: &str = "inputs";
const OUTPUTS: &str = "outputs";
/// Bytes of datasets that are remembered.
const REMEMBERED: usize = 16 * 1024 * 1024;

/// The id of a dataset: what its folder is called.
pub(crate) fn dataset_id(name: &str, digest: &str) -> String {
    md5_hex(&[name, digest])
}

/// The id of a run's use of a dataset or model.
fn input_id(source_id: &str, run: &RunId) -> String {
    md5_hex(&[source_id, run.as_str()])
}

fn md5_hex(parts: &[&str]) -> String {
    let mut hash = Md5::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string does not fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// Reads a dataset of an experiment by its id.
pub(crate) fn read_dataset(
    experiment: &ExperimentFolder,
    id: &str,
    scratch: &mut Scratch,
) -> Result<Dataset, FolderError> {
    text_id("dataset", id)?;
    let path = format!("{DATASETS}/{id}/{META}");
    let map = meta::read(&experiment.folder, &path, &mut scratch.text)?;
    let fields = Fields {
        map: &map,
        folder: &experiment.folder,
        path: &path,
    };
    Ok(Dataset {
        name: fields.text("name")?,
        digest: fields.text("digest")?,
        source_type: fields.text("source_type")?,
        source: fields.text("source")?,
        schema: fields.optional_text("schema")?,
        profile: fields.optional_text("profile")?,
    })
}

/// The same, from what was read before.
fn known_dataset(
    experiment: &ExperimentFolder,
    id: String,
    scratch: &mut Scratch,
) -> Result<Dataset, FolderError> {
    let place = (experiment.experiment_id, id);
    if let Some(dataset) = scratch.datasets.get(&place) {
        return Ok(dataset.clone());
    }
    let dataset = read_dataset(experiment, &place.1, scratch)?;
    let size = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    scratch.dataset_bytes +=
        200 + dataset.source.len() + size(&dataset.schema) + size(&dataset.profile);
    if scratch.dataset_bytes > REMEMBERED {
        scratch.datasets.clear();
        scratch.dataset_bytes = 0;
    }
    scratch.datasets.insert(place, dataset.clone());
    Ok(dataset)
}

/// Reads what a run read, datasets ordered by name and digest. A dataset that
/// its experiment lacks is passed over, as MLflow does.
pub(super) fn read_inputs(
    run: &RunFolder,
    scratch: &mut Scratch,
) -> Result<RunInputs, FolderError> {
    let mut inputs = RunInputs::default();
    for path in metas(run, INPUTS)? {
        let map = meta::read(&run.folder, &path, &mut scratch.text)?;
        let fields = Fields {
            map: &map,
            folder: &run.folder,
            path: &path,
        };
        let source = fields.text("source_id")?;
        match fields.text("source_type")?.as_str() {
            "DATASET" => match known_dataset(&run.experiment, source, scratch) {
                Ok(dataset) => inputs.datasets.push(DatasetInput {
                    tags: tags(&fields)?,
                    dataset,
                }),
                Err(error) if error.is_missing() => {}
                Err(error) => return Err(error),
            },
            "MODEL" => inputs.models.push(ModelInput {
                model_id: LoggedModelId::new(source),
            }),
            other => return Err(fields.wrong("source_type", format!("is '{other}'"))),
        }
    }
    let order = |input: &DatasetInput| (input.dataset.name.clone(), input.dataset.digest.clone());
    inputs.datasets.sort_by_cached_key(order);
    inputs.models.sort_by(|a, b| a.model_id.cmp(&b.model_id));
    Ok(inputs)
}

/// Reads which models a run made, ordered by step and id.
pub(super) fn read_outputs(
    run: &RunFolder,
    scratch: &mut Scratch,
) -> Result<Vec<ModelOutput>, FolderError> {
    let mut outputs = Vec::new();
    for path in metas(run, OUTPUTS)? {
        let map = meta::read(&run.folder, &path, &mut scratch.text)?;
        let fields = Fields {
            map: &map,
            folder: &run.folder,
            path: &path,
        };
        outputs.push(ModelOutput {
            model_id: LoggedModelId::new(fields.text("destination_id")?),
            step: fields.optional_integer("step")?.unwrap_or(0),
        });
    }
    outputs.sort_by(|a, b| (a.step, &a.model_id).cmp(&(b.step, &b.model_id)));
    Ok(outputs)
}

/// The paths of the `meta.yaml` files in the folders of `name`.
fn metas(run: &RunFolder, name: &str) -> Result<Vec<String>, FolderError> {
    let names = match run.folder.folder(name) {
        Err(error) if error.is_missing() => return Ok(Vec::new()),
        folder => folder?.folder_names()?,
    };
    let paths = names.iter().map(|id| format!("{name}/{id}/{META}"));
    Ok(paths.collect())
}

fn tags(fields: &Fields<'_>) -> Result<Vec<Tag>, FolderError> {
    const KEY: &str = "tags";
    match fields.map.get(KEY) {
        None | Some(Yaml::Null) => Ok(Vec::new()),
        Some(Yaml::Map(map)) => map
            .iter()
            .map(|(key, value)| match text_of(value) {
                Some(value) => Ok(Tag::new(key.as_str(), value)),
                None => Err(fields.wrong(KEY, format!("has a value at '{key}' that is not text"))),
            })
            .collect(),
        Some(_) => Err(fields.wrong(KEY, "is not a mapping")),
    }
}

/// Writes a dataset to its experiment, unless it is there, and returns its id.
pub(crate) fn put_dataset(
    experiment: &ExperimentFolder,
    dataset: &Dataset,
    sync: Sync,
) -> Result<String, FolderError> {
    let id = dataset_id(&dataset.name, &dataset.digest);
    let map = mapping([
        ("digest", dataset.digest.as_str().into()),
        ("name", dataset.name.as_str().into()),
        ("profile", Yaml::optional(dataset.profile.as_deref())),
        ("schema", Yaml::optional(dataset.schema.as_deref())),
        ("source", dataset.source.as_str().into()),
        ("source_type", dataset.source_type.as_str().into()),
    ]);
    let path = format!("{DATASETS}/{id}/{META}");
    if !experiment.folder.exists(&path) {
        meta::create_new(&experiment.folder, &path, &map, sync)?;
    }
    Ok(id)
}

/// Records what a run read; what it has already is left as it is.
pub(crate) fn put_inputs(
    run: &RunFolder,
    inputs: &RunInputs,
    sync: Sync,
) -> Result<(), FolderError> {
    for input in &inputs.datasets {
        let id = put_dataset(&run.experiment, &input.dataset, sync)?;
        let tags = input
            .tags
            .iter()
            .map(|tag| (tag.key.clone(), tag.value.as_str().into()));
        put_input(run, "DATASET", &id, Yaml::Map(tags.collect()), sync)?;
    }
    for input in &inputs.models {
        let id = input.model_id.as_str();
        text_id("logged model", id)?;
        put_input(run, "MODEL", id, Yaml::Map(Map::new()), sync)?;
    }
    Ok(())
}

fn put_input(
    run: &RunFolder,
    source_type: &str,
    source_id: &str,
    tags: Yaml,
    sync: Sync,
) -> Result<(), FolderError> {
    let map = mapping([
        // Of the source, not of the run: as MLflow writes it.
        ("destination_id", source_id.into()),
        ("destination_type", "RUN".into()),
        ("source_id", source_id.into()),
        ("source_type", source_type.into()),
        ("tags", tags),
    ]);
    let path = format!("{INPUTS}/{}/{META}", input_id(source_id, &run.run_id));
    meta::create_new(&run.folder, &path, &map, sync).map(drop)
}

/// Records which models a run made; what it has already is left as it is.
pub(crate) fn put_outputs(
    run: &RunFolder,
    outputs: &[ModelOutput],
    sync: Sync,
) -> Result<(), FolderError> {
    for output in outputs {
        text_id("logged model", output.model_id.as_str())?;
    }
    for output in outputs {
        let id = output.model_id.as_str();
        let map = mapping([
            ("destination_id", id.into()),
            ("destination_type", "MODEL_OUTPUT".into()),
            ("source_id", id.into()),
            ("source_type", "RUN_OUTPUT".into()),
            ("step", Yaml::Int(output.step)),
            ("tags", Yaml::Map(Map::new())),
        ]);
        meta::create_new(&run.folder, &format!("{OUTPUTS}/{id}/{META}"), &map, sync)?;
    }
    Ok(())
}

fn mapping<const N: usize>(entries: [(&str, Yaml); N]) -> Map {
    entries.map(|(key, value)| (key.to_owned(), value)).into()
}
