//! The search of versions: filters, order, pages, prompts.

use runledger_entities::{RunId, Tag};
use runledger_search::{
    ModelVersionClause as Clause, ModelVersionKey as Key, ModelVersionText as Text, NumberOp,
    RegistryFilter, TextOp, TextTest,
};
use runledger_store::{DescriptionPatch, ModelVersionQuery, NewModelVersion};

use super::setup::{PROMPT, new_version, shown, v};
use crate::{
    World,
    case::{Outcome, cases},
    clauses::{ascending, descending, equal, none_of, number, one_of, text, unequal},
    setup::{next_millisecond, page, tags, whole},
};

cases![
    without_a_filter_what_changed_last_comes_first,
    names_are_compared,
    runs_are_compared,
    sources_are_compared,
    numbers_are_compared,
    tags_are_compared,
    versions_of_prompts_are_left_out,
    versions_of_prompts_are_found_when_asked_for,
    versions_are_ordered,
    versions_come_whole,
    pages_hold_everything_once,
];

fn all(clauses: Vec<Clause>) -> RegistryFilter<Clause> {
    RegistryFilter {
        clauses,
        prompts: false,
    }
}

fn of(attribute: Text, test: TextTest) -> RegistryFilter<Clause> {
    all(vec![Clause::Text { attribute, test }])
}

fn by_name() -> [runledger_search::Order<Key>; 2] {
    [ascending(Key::Name), ascending(Key::Number)]
}

async fn without_a_filter_what_changed_last_comes_first(w: &World) -> Outcome {
    let store = w.registered("b", 1).await?;
    next_millisecond().await;
    w.registered("a", 1).await?;
    next_millisecond().await;
    store.create_model_version(new_version("b")).await?;
    next_millisecond().await;
    let patch = DescriptionPatch::default();
    store.update_model_version("b", v(1), patch).await?;
    let found = w.versions_found(RegistryFilter::default(), &[]).await?;
    assert_eq!(found, ["b/1", "b/2", "a/1"]);
    Ok(())
}

async fn names_are_compared(w: &World) -> Outcome {
    for name in ["ab", "Ab", "b"] {
        w.registered(name, 1).await?;
    }
    for (test, expected) in [
        (equal("ab"), &["ab/1"][..]),
        (unequal("ab"), &["Ab/1", "b/1"]),
        (text(TextOp::Like, "a%"), &["ab/1"]),
        (text(TextOp::ILike, "a%"), &["Ab/1", "ab/1"]),
        (one_of(&["b", "ab"]), &["ab/1", "b/1"]),
        (none_of(&["b"]), &["Ab/1", "ab/1"]),
    ] {
        let found = w
            .versions_found(of(Text::Name, test.clone()), &by_name())
            .await?;
        assert_eq!(found, expected, "{test}");
    }
    Ok(())
}

async fn runs_are_compared(w: &World) -> Outcome {
    let store = w.registered("m", 1).await?;
    for run in ["r1", "R1", ""] {
        let new = NewModelVersion {
            run_id: Some(RunId::new(run)),
            ..new_version("m")
        };
        store.create_model_version(new).await?;
    }
    // A server, as MLflow's, keeps an empty run where none is told.
    let others: &[&str] = if w.is_behind_a_server {
        &["m/1", "m/3", "m/4"]
    } else {
        &["m/3", "m/4"]
    };
    for (test, expected) in [
        (equal("r1"), &["m/2"][..]),
        (unequal("r1"), others),
        (one_of(&["r1", "R1"]), &["m/2", "m/3"]),
        (none_of(&["r1"]), others),
        (text(TextOp::ILike, "r%"), &["m/2", "m/3"]),
    ] {
        let found = w
            .versions_found(of(Text::RunId, test.clone()), &by_name())
            .await?;
        assert_eq!(found, expected, "{test}");
    }
    Ok(())
}

async fn sources_are_compared(w: &World) -> Outcome {
    let store = w.registered("m", 0).await?;
    for source in ["s3://a/x", "s3://b/x", "gs://c/1"] {
        let new = NewModelVersion {
            source: source.to_owned(),
            storage_location: (!w.is_behind_a_server).then(|| "s3://elsewhere".to_owned()),
            ..new_version("m")
        };
        store.create_model_version(new).await?;
    }
    for (test, expected) in [
        (equal("gs://c/1"), &["m/3"][..]),
        (unequal("gs://c/1"), &["m/1", "m/2"]),
        (text(TextOp::Like, "s3://%/x"), &["m/1", "m/2"]),
        (text(TextOp::ILike, "S3://A/%"), &["m/1"]),
    ] {
        let found = w
            .versions_found(of(Text::SourcePath, test.clone()), &by_name())
            .await?;
        assert_eq!(found, expected, "{test}");
    }
    Ok(())
}

async fn numbers_are_compared(w: &World) -> Outcome {
    w.registered("m", 11).await?;
    for (op, value, expected) in [
        (NumberOp::Less, 3.0, &["m/1", "m/2"][..]),
        (NumberOp::LessOrEqual, 1.0, &["m/1"]),
        (NumberOp::Greater, 10.0, &["m/11"]),
        (NumberOp::GreaterOrEqual, 10.0, &["m/10", "m/11"]),
        (NumberOp::Equal, 2.0, &["m/2"]),
        (NumberOp::Equal, 99.0, &[]),
    ] {
        let filter = all(vec![Clause::Number(number(op, value))]);
        let found = w.versions_found(filter, &by_name()).await?;
        assert_eq!(found, expected, "{op} {value}");
    }
    let filter = all(vec![Clause::Number(number(NumberOp::NotEqual, 2.0))]);
    assert_eq!(w.versions_found(filter, &[]).await?.len(), 10);
    Ok(())
}

async fn tags_are_compared(w: &World) -> Outcome {
    let store = w.registered("m", 3).await?;
    w.registered("n", 1).await?;
    for (name, number, key, value) in [
        ("m", 1, "k", "x"),
        ("m", 2, "k", "y"),
        ("n", 1, "k", "x"),
        ("m", 3, "K", "x"),
        ("m", 1, "l", "z"),
    ] {
        let tag = Tag::new(key, value);
        store.set_model_version_tag(name, v(number), tag).await?;
    }
    // Those of models are others.
    store
        .set_registered_model_tag("m", Tag::new("k", "x"))
        .await?;
    let tag = |key: &str, test| Clause::Tag {
        key: key.to_owned(),
        test,
    };
    for (clauses, expected) in [
        (vec![tag("k", equal("x"))], &["m/1", "n/1"][..]),
        (vec![tag("k", unequal("x"))], &["m/2"]),
        (vec![tag("k", equal("x")), tag("l", equal("z"))], &["m/1"]),
        (
            vec![tag("k", text(TextOp::Like, "%"))],
            &["m/1", "m/2", "n/1"],
        ),
    ] {
        let found = w.versions_found(all(clauses), &by_name()).await?;
        assert_eq!(found, expected);
    }
    Ok(())
}

async fn versions_of_prompts_are_left_out(w: &World) -> Outcome {
    let store = w.registered("model", 1).await?;
    w.registered("prompt", 2).await?;
    let tag = Tag::new(PROMPT.0, PROMPT.1);
    // One makes all of them versions of a prompt.
    store.set_model_version_tag("prompt", v(1), tag).await?;
    let found = w.versions_found(RegistryFilter::default(), &[]).await?;
    assert_eq!(found, ["model/1"]);
    let found = w
        .versions_found(of(Text::Name, equal("prompt")), &[])
        .await?;
    assert!(found.is_empty(), "{found:?}");
    // The tag of the model says nothing about its versions.
    let tag = Tag::new(PROMPT.0, PROMPT.1);
    store.set_registered_model_tag("model", tag).await?;
    let found = w.versions_found(RegistryFilter::default(), &[]).await?;
    assert_eq!(found, ["model/1"]);
    Ok(())
}

async fn versions_of_prompts_are_found_when_asked_for(w: &World) -> Outcome {
    let store = w.registered("model", 1).await?;
    w.registered("prompt", 1).await?;
    let tag = Tag::new(PROMPT.0, PROMPT.1);
    store.set_model_version_tag("prompt", v(1), tag).await?;
    let filter = RegistryFilter {
        clauses: vec![Clause::Tag {
            key: Tag::IS_PROMPT.to_owned(),
            test: equal("true"),
        }],
        prompts: true,
    };
    assert_eq!(w.versions_found(filter, &[]).await?, ["prompt/1"]);
    Ok(())
}

async fn versions_are_ordered(w: &World) -> Outcome {
    let store = w.registered("b", 1).await?;
    next_millisecond().await;
    w.registered("a", 1).await?;
    next_millisecond().await;
    store.create_model_version(new_version("b")).await?;
    next_millisecond().await;
    let patch = DescriptionPatch::default();
    store.update_model_version("b", v(1), patch).await?;
    for (order, expected) in [
        (vec![ascending(Key::Name)], ["a/1", "b/2", "b/1"]),
        (vec![descending(Key::Name)], ["b/2", "b/1", "a/1"]),
        (vec![ascending(Key::Number)], ["a/1", "b/1", "b/2"]),
        (vec![descending(Key::Number)], ["b/2", "a/1", "b/1"]),
        (
            vec![ascending(Key::CreationTimestamp)],
            ["b/1", "a/1", "b/2"],
        ),
        (
            vec![descending(Key::LastUpdatedTimestamp)],
            ["b/1", "b/2", "a/1"],
        ),
        (
            vec![ascending(Key::Number), descending(Key::Name)],
            ["b/1", "a/1", "b/2"],
        ),
    ] {
        let found = w.versions_found(RegistryFilter::default(), &order).await?;
        assert_eq!(found, expected, "{order:?}");
    }
    Ok(())
}

async fn versions_come_whole(w: &World) -> Outcome {
    let store = w.registered("m", 2).await?;
    w.registered("n", 1).await?;
    for (name, number) in [("m", 1), ("n", 1)] {
        let tag = Tag::new("of", format!("{name}/{number}"));
        store.set_model_version_tag(name, v(number), tag).await?;
        store.set_model_alias(name, "first", v(number)).await?;
    }
    let query = ModelVersionQuery {
        filter: RegistryFilter::default(),
        order_by: by_name().to_vec(),
        page: whole(),
    };
    let found = store.search_model_versions(query).await?.items;
    let expected = [
        w.version("m", 1).await?,
        w.version("m", 2).await?,
        w.version("n", 1).await?,
    ];
    assert_eq!(found, expected);
    assert_eq!(found[0].tags, tags(&[("of", "m/1")]));
    assert_eq!(found[2].aliases, ["first"]);
    Ok(())
}

async fn pages_hold_everything_once(w: &World) -> Outcome {
    w.registered("a", 4).await?;
    w.registered("b", 3).await?;
    let expected = w
        .versions_found(RegistryFilter::default(), &by_name())
        .await?;
    for size in 1..=8 {
        let mut found = Vec::new();
        let mut token = None;
        loop {
            let query = ModelVersionQuery {
                filter: RegistryFilter::default(),
                order_by: by_name().to_vec(),
                page: page(size, token),
            };
            let page = w.registry()?.search_model_versions(query).await?;
            found.extend(shown(&page.items));
            token = page.next_token;
            if token.is_none() {
                break;
            }
        }
        assert_eq!(found, expected, "pages of {size}");
    }
    Ok(())
}
