//! Random models, versions and searches: the store answers what the evaluation in
//! memory (`runledger_search::eval`) answers.

use runledger_entities::{Coded, ErrorCode, ModelVersion, RegisteredModel, RunId, Tag};
use runledger_search::{
    ModelVersionClause, ModelVersionKey, ModelVersionText, Order, RegisteredModelClause,
    RegisteredModelKey, RegistryFilter, SearchError, TextTest, eval, parse_model_version_filter,
    parse_registered_model_filter,
};
use runledger_store::{DescriptionPatch, NewModelVersion, StoreError};

use super::setup::{new_registered_model, new_version, shown};
use crate::{
    World,
    case::{Outcome, cases},
    clauses::{NUMBER_OPS, TEXT_OPS, number, text},
    random::Random,
    setup::next_millisecond,
};

cases![
    searches_of_models_find_what_the_evaluation_in_memory_finds,
    searches_of_versions_find_what_the_evaluation_in_memory_finds,
];

const SEED: u64 = 0x0DE1;
const SEARCHES: usize = 200;
/// The fewest of them whose results are compared: all, but those that no server can be asked.
const COMPARED: usize = 100;

// Without `%`, which MLflow's file store does not take.
const NAMES: [&str; 8] = ["a", "A", "ab", "a_b", "a'b", "b", "ñ日", r"a\b"];
const KEYS: [&str; 4] = ["k", "K", "a/b", Tag::IS_PROMPT];
const SOURCES: [&str; 4] = ["s3://b/a", "s3://b/A", "s3://b/a_", "gs://b/true"];
const VALUES: [&str; 7] = ["", "a", "A", "a%", "a_", "true", "True"];
const PATTERNS: [&str; 9] = ["", "%", "_", "a%", "A%", "%b", "a_%", "tr%", "%/a_"];

fn random_text(random: &mut Random, values: &[&str], lists: bool) -> TextTest {
    if lists && random.one_in(3) {
        let values = (0..=random.below(3)).map(|_| random.pick(values).to_owned());
        return TextTest::In {
            values: values.collect(),
            negated: random.one_in(2),
        };
    }
    let op = random.pick(&TEXT_OPS);
    let value = if random.one_in(2) {
        random.pick(values)
    } else {
        random.pick(&PATTERNS)
    };
    text(op, value)
}

/// Models of all names, with random tags and versions.
async fn fill(w: &World, random: &mut Random) -> Result<(), StoreError> {
    let store = w.registry()?;
    for name in NAMES {
        let mut tags = Vec::new();
        for key in KEYS {
            if random.one_in(3) {
                tags.push((key, random.pick(&VALUES)));
            }
        }
        store
            .create_registered_model(new_registered_model(name, &tags))
            .await?;
        for _ in 0..random.below(4) {
            let mut new = NewModelVersion {
                source: random.pick(&SOURCES).to_owned(),
                run_id: random.one_in(2).then(|| RunId::new(random.pick(&VALUES))),
                ..new_version(name)
            };
            for key in KEYS {
                if random.one_in(4) {
                    new.tags.push(Tag::new(key, random.pick(&VALUES)));
                }
            }
            if Tag::are_of_prompt(&new.tags) {
                // Servers take nothing else for a prompt, which has no files.
                "dummy-source".clone_into(&mut new.source);
            }
            store.create_model_version(new).await?;
            if random.one_in(2) {
                next_millisecond().await;
            }
        }
    }
    for name in NAMES {
        if random.one_in(3) {
            next_millisecond().await;
            let patch = DescriptionPatch::default();
            store.update_registered_model(name, patch).await?;
        }
    }
    Ok(())
}

/// Lets the clauses of a filter say whether it finds prompts, as a server reads them. Whether
/// their text means the filter then: only such can be sent.
fn is_as_said<C: ToString>(
    filter: &mut RegistryFilter<C>,
    parse: impl Fn(&str) -> Result<RegistryFilter<C>, SearchError>,
) -> bool
where
    RegistryFilter<C>: PartialEq,
{
    let clauses: Vec<String> = filter.clauses.iter().map(ToString::to_string).collect();
    let Ok(read) = parse(&clauses.join(" AND ")) else {
        return false;
    };
    filter.prompts = read.prompts;
    read == *filter
}

fn assert_cannot_be_sent(found: Result<Vec<String>, StoreError>) {
    let error = found.expect_err("no text means it");
    assert_eq!(error.code(), ErrorCode::InvalidParameterValue, "{error}");
}

fn assert_enough(compared: usize) {
    assert!(
        compared >= COMPARED,
        "only {compared} of {SEARCHES} searches were compared"
    );
}

fn random_order<K: Copy>(random: &mut Random, keys: &[K]) -> Vec<Order<K>> {
    (0..random.below(3))
        .map(|_| Order {
            key: random.pick(keys),
            descending: random.one_in(2),
        })
        .collect()
}

async fn searches_of_models_find_what_the_evaluation_in_memory_finds(w: &World) -> Outcome {
    let mut random = Random::new(SEED);
    fill(w, &mut random).await?;
    let mut models: Vec<RegisteredModel> = Vec::new();
    for name in NAMES {
        models.push(w.registered_model(name).await?);
    }
    let mut compared = 0;
    for search in 0..SEARCHES {
        let clauses = (0..random.below(3)).map(|_| {
            if random.one_in(2) {
                RegisteredModelClause::Name(random_text(&mut random, &NAMES, true))
            } else {
                RegisteredModelClause::Tag {
                    key: random.pick(&KEYS).to_owned(),
                    test: random_text(&mut random, &VALUES, false),
                }
            }
        });
        let mut filter = RegistryFilter {
            clauses: clauses.collect(),
            prompts: random.one_in(2),
        };
        let can_be_sent =
            !w.is_behind_a_server || is_as_said(&mut filter, parse_registered_model_filter);
        let order = random_order(
            &mut random,
            &[
                RegisteredModelKey::Name,
                RegisteredModelKey::CreationTimestamp,
                RegisteredModelKey::LastUpdatedTimestamp,
            ],
        );
        let mut expected: Vec<&RegisteredModel> = models
            .iter()
            .filter(|model| eval::registered_model_matches(model, &filter))
            .collect();
        expected.sort_by(|a, b| eval::compare_registered_models(a, b, &order));
        let expected: Vec<_> = expected.iter().map(|model| model.name.clone()).collect();
        let found = w.models_found(filter.clone(), &order).await;
        if !can_be_sent {
            assert_cannot_be_sent(found);
            continue;
        }
        compared += 1;
        assert_eq!(
            found?, expected,
            "search {search} of seed {SEED:#x}: {filter:?}, {order:?}"
        );
    }
    assert_enough(compared);
    Ok(())
}

async fn searches_of_versions_find_what_the_evaluation_in_memory_finds(w: &World) -> Outcome {
    let mut random = Random::new(SEED + 1);
    fill(w, &mut random).await?;
    let mut versions: Vec<ModelVersion> = Vec::new();
    for name in NAMES {
        // All are in one stage, and none was deleted.
        let newest = w.registered_model(name).await?.latest_versions;
        for number in 1..=newest.first().map_or(0, |version| version.version.0) {
            versions.push(w.version(name, number).await?);
        }
    }
    let mut compared = 0;
    for search in 0..SEARCHES {
        let clauses = (0..random.below(3)).map(|_| random_version_clause(&mut random));
        let mut filter = RegistryFilter {
            clauses: clauses.collect(),
            prompts: random.one_in(2),
        };
        let can_be_sent =
            !w.is_behind_a_server || is_as_said(&mut filter, parse_model_version_filter);
        let order = random_order(
            &mut random,
            &[
                ModelVersionKey::Name,
                ModelVersionKey::Number,
                ModelVersionKey::CreationTimestamp,
                ModelVersionKey::LastUpdatedTimestamp,
            ],
        );
        let of_prompt = |version: &ModelVersion| {
            let siblings = versions.iter().filter(|other| other.name == version.name);
            eval::are_of_prompt(siblings)
        };
        let mut expected: Vec<ModelVersion> = versions
            .iter()
            .filter(|version| eval::model_version_matches(version, of_prompt(version), &filter))
            .cloned()
            .collect();
        expected.sort_by(|a, b| eval::compare_model_versions(a, b, &order));
        let found = w.versions_found(filter.clone(), &order).await;
        if !can_be_sent {
            assert_cannot_be_sent(found);
            continue;
        }
        compared += 1;
        assert_eq!(
            found?,
            shown(&expected),
            "search {search} of seed {SEED:#x}: {filter:?}, {order:?}"
        );
    }
    assert_enough(compared);
    Ok(())
}

fn random_version_clause(random: &mut Random) -> ModelVersionClause {
    match random.below(4) {
        0 => ModelVersionClause::Number(number(
            random.pick(&NUMBER_OPS),
            random.pick(&[0.0, 1.0, 2.0, 3.0]),
        )),
        1 => ModelVersionClause::Tag {
            key: random.pick(&KEYS).to_owned(),
            test: random_text(random, &VALUES, false),
        },
        2 => ModelVersionClause::Text {
            attribute: ModelVersionText::Name,
            test: random_text(random, &NAMES, true),
        },
        _ => {
            if random.one_in(2) {
                ModelVersionClause::Text {
                    attribute: ModelVersionText::RunId,
                    test: random_text(random, &VALUES, true),
                }
            } else {
                ModelVersionClause::Text {
                    attribute: ModelVersionText::SourcePath,
                    test: random_text(random, &SOURCES, false),
                }
            }
        }
    }
}
