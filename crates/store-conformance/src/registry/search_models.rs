//! The search of registered models: filters, order, pages, prompts.

use runledger_entities::{Coded as _, ErrorCode, Tag};
use runledger_search::{
    RegisteredModelClause as Clause, RegisteredModelKey as Key, RegistryFilter, TextOp,
};
use runledger_store::{DescriptionPatch, RegisteredModelQuery};

use super::setup::{PROMPT, new_registered_model, new_version, v};
use crate::{
    World,
    case::{Outcome, cases},
    clauses::{ascending, descending, equal, none_of, one_of, text, unequal},
    setup::{next_millisecond, page, tags, whole},
};

cases![
    without_a_filter_everything_is_found_by_name,
    names_are_compared,
    tags_are_compared,
    all_clauses_must_hold,
    a_tag_that_is_missing_passes_nothing,
    prompts_are_left_out,
    prompts_are_found_when_asked_for,
    models_are_ordered_by_name,
    models_are_ordered_by_time,
    models_come_whole,
    pages_hold_everything_once,
    a_page_past_the_end_is_empty,
    nothing_is_found_in_an_empty_registry,
];

fn all(clauses: Vec<Clause>) -> RegistryFilter<Clause> {
    RegistryFilter {
        clauses,
        prompts: false,
    }
}

fn tag(key: &str, test: runledger_search::TextTest) -> Clause {
    Clause::Tag {
        key: key.to_owned(),
        test,
    }
}

/// Models of these names, each with the tags of its name.
async fn with(w: &World, models: &[(&str, &[(&str, &str)])]) -> Outcome {
    for (name, tags) in models {
        let new = new_registered_model(name, tags);
        w.registry()?.create_registered_model(new).await?;
    }
    Ok(())
}

async fn without_a_filter_everything_is_found_by_name(w: &World) -> Outcome {
    with(w, &[("b", &[]), ("a", &[]), ("c", &[])]).await?;
    let found = w.models_found(RegistryFilter::default(), &[]).await?;
    assert_eq!(found, ["a", "b", "c"]);
    Ok(())
}

async fn names_are_compared(w: &World) -> Outcome {
    with(w, &[("ab", &[]), ("Ab", &[]), ("b", &[]), ("a_", &[])]).await?;
    for (test, expected) in [
        (equal("ab"), &["ab"][..]),
        (unequal("ab"), &["Ab", "a_", "b"]),
        (text(TextOp::Like, "a%"), &["a_", "ab"]),
        (text(TextOp::ILike, "a%"), &["Ab", "a_", "ab"]),
        (text(TextOp::Like, "_b"), &["Ab", "ab"]),
        (one_of(&["b", "Ab", "x"]), &["Ab", "b"]),
        (none_of(&["b", "Ab"]), &["a_", "ab"]),
    ] {
        let mut found = w
            .models_found(all(vec![Clause::Name(test.clone())]), &[])
            .await?;
        found.sort();
        assert_eq!(found, expected, "{test}");
    }
    Ok(())
}

async fn tags_are_compared(w: &World) -> Outcome {
    with(
        w,
        &[
            ("1", &[("k", "x")]),
            ("2", &[("k", "X"), ("l", "x")]),
            ("3", &[("K", "x")]),
        ],
    )
    .await?;
    for (test, expected) in [
        (equal("x"), &["1"][..]),
        (unequal("x"), &["2"]),
        (text(TextOp::Like, "_"), &["1", "2"]),
        (text(TextOp::ILike, "x"), &["1", "2"]),
    ] {
        let found = w
            .models_found(all(vec![tag("k", test.clone())]), &[])
            .await?;
        assert_eq!(found, expected, "{test}");
    }
    Ok(())
}

async fn all_clauses_must_hold(w: &World) -> Outcome {
    with(
        w,
        &[
            ("1", &[("k", "x"), ("l", "y")]),
            ("2", &[("k", "x"), ("l", "z")]),
            ("3", &[("l", "y")]),
        ],
    )
    .await?;
    let clauses = vec![tag("k", equal("x")), tag("l", equal("y"))];
    assert_eq!(w.models_found(all(clauses), &[]).await?, ["1"]);
    let clauses = vec![tag("k", equal("x")), Clause::Name(unequal("1"))];
    assert_eq!(w.models_found(all(clauses), &[]).await?, ["2"]);
    let clauses = vec![tag("k", equal("x")), tag("k", unequal("x"))];
    assert!(w.models_found(all(clauses), &[]).await?.is_empty());
    Ok(())
}

async fn a_tag_that_is_missing_passes_nothing(w: &World) -> Outcome {
    with(w, &[("1", &[("k", "x")]), ("2", &[])]).await?;
    let found = w
        .models_found(all(vec![tag("k", unequal("y"))]), &[])
        .await?;
    assert_eq!(found, ["1"]);
    Ok(())
}

async fn prompts_are_left_out(w: &World) -> Outcome {
    with(
        w,
        &[
            ("model", &[]),
            ("no prompt", &[(PROMPT.0, "false")]),
            ("prompt", &[PROMPT, ("k", "x")]),
        ],
    )
    .await?;
    let found = w.models_found(RegistryFilter::default(), &[]).await?;
    assert_eq!(found, ["model", "no prompt"]);
    let found = w.models_found(all(vec![tag("k", equal("x"))]), &[]).await?;
    assert!(found.is_empty(), "{found:?}");
    let tag = Tag::new(PROMPT.0, PROMPT.1);
    w.registry()?.set_registered_model_tag("model", tag).await?;
    let found = w.models_found(RegistryFilter::default(), &[]).await?;
    assert_eq!(found, ["no prompt"]);
    Ok(())
}

async fn prompts_are_found_when_asked_for(w: &World) -> Outcome {
    with(w, &[("model", &[]), ("prompt", &[PROMPT])]).await?;
    let prompts = |clauses| RegistryFilter {
        clauses,
        prompts: true,
    };
    let found = w.models_found(prompts(vec![]), &[]).await;
    if w.is_behind_a_server {
        // Filters can ask for prompts, not for everything.
        let error = found.expect_err("it cannot be sent");
        assert_eq!(error.code(), ErrorCode::InvalidParameterValue, "{error}");
    } else {
        assert_eq!(found?, ["model", "prompt"]);
    }
    let clauses = vec![tag(Tag::IS_PROMPT, equal("true"))];
    assert_eq!(w.models_found(prompts(clauses), &[]).await?, ["prompt"]);
    Ok(())
}

async fn models_are_ordered_by_name(w: &World) -> Outcome {
    with(w, &[("b", &[]), ("a", &[]), ("B", &[]), ("é", &[])]).await?;
    let found = w
        .models_found(RegistryFilter::default(), &[descending(Key::Name)])
        .await?;
    assert_eq!(found, ["é", "b", "a", "B"]);
    let found = w
        .models_found(RegistryFilter::default(), &[ascending(Key::Name)])
        .await?;
    assert_eq!(found, ["B", "a", "b", "é"]);
    Ok(())
}

async fn models_are_ordered_by_time(w: &World) -> Outcome {
    for name in ["b", "c", "a"] {
        with(w, &[(name, &[])]).await?;
        next_millisecond().await;
    }
    let patch = DescriptionPatch::default();
    w.registry()?.update_registered_model("c", patch).await?;
    for (order, expected) in [
        (ascending(Key::CreationTimestamp), ["b", "c", "a"]),
        (descending(Key::CreationTimestamp), ["a", "c", "b"]),
        (ascending(Key::LastUpdatedTimestamp), ["b", "a", "c"]),
        (descending(Key::LastUpdatedTimestamp), ["c", "a", "b"]),
    ] {
        let found = w
            .models_found(RegistryFilter::default(), std::slice::from_ref(&order))
            .await?;
        assert_eq!(found, expected, "{order:?}");
    }
    Ok(())
}

async fn models_come_whole(w: &World) -> Outcome {
    let store = w.registered("a", 2).await?;
    w.registered("b", 1).await?;
    store
        .set_registered_model_tag("a", Tag::new("k", "v"))
        .await?;
    store
        .set_model_version_tag("a", v(2), Tag::new("k", "w"))
        .await?;
    store.set_model_alias("a", "x", v(2)).await?;
    store.create_model_version(new_version("b")).await?;
    let query = RegisteredModelQuery {
        filter: RegistryFilter::default(),
        order_by: Vec::new(),
        page: whole(),
    };
    let found = store.search_registered_models(query).await?.items;
    let expected = [
        w.registered_model("a").await?,
        w.registered_model("b").await?,
    ];
    assert_eq!(found, expected);
    assert_eq!(found[0].latest_versions[0].tags, tags(&[("k", "w")]));
    Ok(())
}

async fn pages_hold_everything_once(w: &World) -> Outcome {
    let mut names = Vec::new();
    for number in 0..7 {
        let name = format!("m{number}");
        with(w, &[(&name, &[])]).await?;
        names.push(name);
    }
    for size in 1..=8 {
        let mut found = Vec::new();
        let mut token = None;
        loop {
            let query = RegisteredModelQuery {
                filter: RegistryFilter::default(),
                order_by: Vec::new(),
                page: page(size, token),
            };
            let page = w.registry()?.search_registered_models(query).await?;
            assert!(page.items.len() <= 8 && !page.items.is_empty());
            found.extend(page.items.into_iter().map(|model| model.name));
            token = page.next_token;
            if token.is_none() {
                break;
            }
        }
        assert_eq!(found, names, "pages of {size}");
    }
    Ok(())
}

async fn a_page_past_the_end_is_empty(w: &World) -> Outcome {
    with(w, &[("a", &[]), ("b", &[])]).await?;
    let search = |token| RegisteredModelQuery {
        filter: RegistryFilter::default(),
        order_by: Vec::new(),
        page: page(1, token),
    };
    let store = w.registry()?;
    let first = store.search_registered_models(search(None)).await?;
    store.delete_registered_model("b").await?;
    let second = store
        .search_registered_models(search(first.next_token))
        .await?;
    assert!(second.items.is_empty() && second.next_token.is_none());
    Ok(())
}

async fn nothing_is_found_in_an_empty_registry(w: &World) -> Outcome {
    let found = w.models_found(RegistryFilter::default(), &[]).await?;
    assert!(found.is_empty(), "{found:?}");
    let found = w.versions_found(RegistryFilter::default(), &[]).await?;
    assert!(found.is_empty(), "{found:?}");
    Ok(())
}
