//! The search of experiments.

use runledger_entities::{Coded as _, ErrorCode, Experiment, ExperimentId, Tag, ViewType};
use runledger_search::{
    ExperimentClause, ExperimentKey, ExperimentNumber,
    NumberOp::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual},
    Order,
    TextOp::{ILike, Like},
    TextTest,
};
use runledger_store::{ExperimentQuery, Page, StoreError};

use crate::{
    World,
    case::{Outcome, cases},
    clauses::{ascending, descending, equal, number, text, unequal},
    setup::{next_millisecond, page, whole},
};

cases![
    without_a_filter_everything_is_found,
    found_experiments_are_complete,
    names_compare_as_text,
    like_patterns_match_whole_names,
    ids_are_found_by_lists,
    ids_that_are_no_numbers_match_nothing,
    times_compare_as_numbers,
    tags_compare_as_text,
    unequal_needs_the_tag_to_be_there,
    null_is_a_missing_tag,
    all_clauses_must_hold,
    values_are_data,
    a_view_shows_active_experiments_deleted_ones_or_both,
    without_an_order_the_newest_come_first,
    experiments_order_by_name,
    experiments_order_by_id_as_a_number,
    experiments_order_by_creation_time,
    experiments_order_by_last_update,
    ties_of_an_order_come_by_id_largest_first,
    pages_visit_every_experiment_once,
    the_last_page_has_no_token,
    a_token_that_is_none_is_refused,
];

fn query(filter: &[ExperimentClause]) -> ExperimentQuery {
    ExperimentQuery {
        view: ViewType::ActiveOnly,
        filter: filter.to_vec(),
        order_by: Vec::new(),
        page: whole(),
    }
}

fn tag(key: &str, test: TextTest) -> ExperimentClause {
    ExperimentClause::Tag {
        key: key.to_owned(),
        test,
    }
}

fn names(experiments: &[Experiment]) -> Vec<&str> {
    experiments.iter().map(|e| e.name.as_str()).collect()
}

/// The sorted names that a filter finds, without the default experiment's.
async fn found(w: &World, filter: &[ExperimentClause]) -> Result<Vec<String>, StoreError> {
    let mut names: Vec<String> = search(w, query(filter))
        .await?
        .items
        .into_iter()
        .filter(|e| e.experiment_id != ExperimentId::DEFAULT)
        .map(|e| e.name)
        .collect();
    names.sort();
    Ok(names)
}

async fn search(w: &World, query: ExperimentQuery) -> Result<Page<Experiment>, StoreError> {
    w.tracking.search_experiments(query).await
}

async fn create(w: &World, names: &[&str]) -> Result<Vec<ExperimentId>, StoreError> {
    let mut ids = Vec::new();
    for name in names {
        ids.push(w.experiment(name).await?);
    }
    Ok(ids)
}

async fn without_a_filter_everything_is_found(w: &World) -> Outcome {
    create(w, &["a", "b"]).await?;
    let found = search(w, query(&[])).await?;
    let mut names = names(&found.items);
    names.sort_unstable();
    assert_eq!(names, ["Default", "a", "b"]);
    Ok(())
}

async fn found_experiments_are_complete(w: &World) -> Outcome {
    let ids = create(w, &["a", "b"]).await?;
    for (id, key) in ids.iter().zip(["x", "y"]) {
        w.tracking
            .set_experiment_tag(*id, Tag::new(key, "1"))
            .await?;
        w.tracking
            .set_experiment_tag(*id, Tag::new("all", key))
            .await?;
    }
    let mut expected = vec![w.get_experiment(ExperimentId::DEFAULT).await?];
    for id in ids {
        expected.push(w.get_experiment(id).await?);
    }
    let mut found = search(w, query(&[])).await?.items;
    found.sort_by_key(|e| e.experiment_id);
    expected.sort_by_key(|e| e.experiment_id);
    assert_eq!(found, expected);
    Ok(())
}

async fn names_compare_as_text(w: &World) -> Outcome {
    create(w, &["abc", "ABC", "abd"]).await?;
    let name = |test| [ExperimentClause::Name(test)];
    assert_eq!(found(w, &name(equal("abc"))).await?, ["abc"]);
    assert_eq!(found(w, &name(unequal("abc"))).await?, ["ABC", "abd"]);
    assert_eq!(found(w, &name(text(Like, "ab%"))).await?, ["abc", "abd"]);
    assert_eq!(
        found(w, &name(text(ILike, "ab_"))).await?,
        ["ABC", "abc", "abd"]
    );
    Ok(())
}

async fn like_patterns_match_whole_names(w: &World) -> Outcome {
    create(w, &["exp", "exp 1", "my exp"]).await?;
    let name = |pattern| [ExperimentClause::Name(text(Like, pattern))];
    assert_eq!(found(w, &name("exp")).await?, ["exp"]);
    assert_eq!(found(w, &name("exp%")).await?, ["exp", "exp 1"]);
    assert_eq!(found(w, &name("%exp")).await?, ["exp", "my exp"]);
    Ok(())
}

async fn ids_are_found_by_lists(w: &World) -> Outcome {
    let ids = create(w, &["a", "b", "c"]).await?;
    let listed = |negated, ids: &[ExperimentId]| {
        let values = ids.iter().map(ToString::to_string).collect();
        [ExperimentClause::Id { negated, values }]
    };
    assert_eq!(found(w, &listed(false, &ids[..2])).await?, ["a", "b"]);
    assert_eq!(found(w, &listed(true, &ids[..2])).await?, ["c"]);
    assert_eq!(
        found(w, &listed(false, &[ExperimentId(987_654)])).await?,
        [""; 0]
    );
    Ok(())
}

async fn ids_that_are_no_numbers_match_nothing(w: &World) -> Outcome {
    let ids = create(w, &["a"]).await?;
    let values = vec!["x".to_owned(), String::new(), ids[0].to_string()];
    let listed = |negated| {
        let values = values.clone();
        [ExperimentClause::Id { negated, values }]
    };
    if w.is_behind_a_server {
        // No filter of text says it.
        let refused = found(w, &listed(false)).await.err();
        let code = refused.map(|error| error.code());
        assert_eq!(code, Some(ErrorCode::InvalidParameterValue));
        return Ok(());
    }
    assert_eq!(found(w, &listed(false)).await?, ["a"]);
    assert_eq!(found(w, &listed(true)).await?, [""; 0]);
    Ok(())
}

async fn times_compare_as_numbers(w: &World) -> Outcome {
    create(w, &["old"]).await?;
    next_millisecond().await;
    let new = create(w, &["new"]).await?;
    let time = w
        .get_experiment(new[0])
        .await?
        .creation_time
        .unwrap_or_default();
    for attribute in [
        ExperimentNumber::CreationTime,
        ExperimentNumber::LastUpdateTime,
    ] {
        for (op, names) in [
            (Less, &["old"][..]),
            (LessOrEqual, &["new", "old"]),
            (Greater, &[]),
            (GreaterOrEqual, &["new"]),
            (Equal, &["new"]),
            (NotEqual, &["old"]),
        ] {
            #[expect(clippy::cast_precision_loss, reason = "times are far below 2^53")]
            let test = number(op, time as f64);
            let clause = ExperimentClause::Number { attribute, test };
            assert_eq!(found(w, &[clause]).await?, names, "{attribute:?} {op:?}");
        }
    }
    Ok(())
}

async fn tags_compare_as_text(w: &World) -> Outcome {
    let ids = create(w, &["a", "b", "c"]).await?;
    for (id, value) in ids.iter().zip(["Red", "red", ""]) {
        w.tracking
            .set_experiment_tag(*id, Tag::new("colour", value))
            .await?;
    }
    for (test, names) in [
        (equal("red"), &["b"][..]),
        (unequal("red"), &["a", "c"]),
        (text(Like, "R%"), &["a"]),
        (text(ILike, "r_d"), &["a", "b"]),
        (equal(""), &["c"]),
    ] {
        assert_eq!(
            found(w, &[tag("colour", test.clone())]).await?,
            names,
            "{test:?}"
        );
    }
    Ok(())
}

async fn unequal_needs_the_tag_to_be_there(w: &World) -> Outcome {
    let ids = create(w, &["a", "b"]).await?;
    w.tracking
        .set_experiment_tag(ids[0], Tag::new("k", "1"))
        .await?;
    assert_eq!(found(w, &[tag("k", unequal("2"))]).await?, ["a"]);
    Ok(())
}

async fn null_is_a_missing_tag(w: &World) -> Outcome {
    let ids = create(w, &["a", "b"]).await?;
    w.tracking
        .set_experiment_tag(ids[0], Tag::new("k", ""))
        .await?;
    assert_eq!(found(w, &[tag("k", TextTest::IsNull)]).await?, ["b"]);
    assert_eq!(found(w, &[tag("k", TextTest::IsNotNull)]).await?, ["a"]);
    Ok(())
}

async fn all_clauses_must_hold(w: &World) -> Outcome {
    let ids = create(w, &["ab", "ac", "ad", "bc"]).await?;
    for id in &ids[1..] {
        let tag = Tag::new("k", "1");
        w.tracking.set_experiment_tag(*id, tag).await?;
    }
    let filter = [
        ExperimentClause::Name(text(Like, "a%")),
        tag("k", equal("1")),
        ExperimentClause::Name(unequal("ad")),
    ];
    assert_eq!(found(w, &filter).await?, ["ac"]);
    Ok(())
}

async fn values_are_data(w: &World) -> Outcome {
    for odd in [
        "'",
        "\"",
        "\\",
        "'; drop table experiments; --",
        "?1",
        "日本",
    ] {
        let key = if w.takes_key(odd) { odd } else { "key" };
        let id = w.experiment(odd).await?;
        w.tracking
            .set_experiment_tag(id, Tag::new(key, odd))
            .await?;
        // No filter of text says it.
        if w.is_behind_a_server && odd == "\\" {
            continue;
        }
        assert_eq!(
            found(w, &[ExperimentClause::Name(equal(odd))]).await?,
            [odd]
        );
        assert_eq!(found(w, &[tag(key, equal(odd))]).await?, [odd]);
    }
    Ok(())
}

async fn a_view_shows_active_experiments_deleted_ones_or_both(w: &World) -> Outcome {
    let ids = create(w, &["active", "deleted"]).await?;
    w.tracking.delete_experiment(ids[1]).await?;
    for (view, expected) in [
        (ViewType::ActiveOnly, &["Default", "active"][..]),
        (ViewType::DeletedOnly, &["deleted"]),
        (ViewType::All, &["Default", "active", "deleted"]),
    ] {
        let found = search(w, ExperimentQuery { view, ..query(&[]) }).await?;
        let mut names = names(&found.items);
        names.sort_unstable();
        assert_eq!(names, expected, "{view:?}");
    }
    Ok(())
}

async fn without_an_order_the_newest_come_first(w: &World) -> Outcome {
    for name in ["first", "second", "third"] {
        next_millisecond().await;
        w.experiment(name).await?;
    }
    let found = search(w, query(&[])).await?;
    assert_eq!(names(&found.items), ["third", "second", "first", "Default"]);
    Ok(())
}

async fn assert_order(
    w: &World,
    key: ExperimentKey,
    upwards: &[&str],
    downwards: &[&str],
) -> Outcome {
    for (by, expected) in [(ascending(key), upwards), (descending(key), downwards)] {
        let order_by = vec![by.clone()];
        let found = search(
            w,
            ExperimentQuery {
                order_by,
                ..query(&[])
            },
        )
        .await?;
        assert_eq!(names(&found.items), expected, "{by:?}");
    }
    Ok(())
}

async fn experiments_order_by_name(w: &World) -> Outcome {
    create(w, &["b", "B", "a", "é"]).await?;
    assert_order(
        w,
        ExperimentKey::Name,
        &["B", "Default", "a", "b", "é"],
        &["é", "b", "a", "Default", "B"],
    )
    .await
}

async fn experiments_order_by_id_as_a_number(w: &World) -> Outcome {
    let labels: Vec<String> = (0..12).map(|n| n.to_string()).collect();
    let mut created = Vec::new();
    for label in &labels {
        created.push((w.experiment(label).await?, label.as_str()));
    }
    created.push((ExperimentId::DEFAULT, "Default"));
    created.sort();
    let upwards: Vec<&str> = created.iter().map(|(_, name)| *name).collect();
    let downwards: Vec<&str> = upwards.iter().rev().copied().collect();
    assert_order(w, ExperimentKey::Id, &upwards, &downwards).await
}

async fn experiments_order_by_creation_time(w: &World) -> Outcome {
    for name in ["b", "a"] {
        next_millisecond().await;
        w.experiment(name).await?;
    }
    let key = ExperimentKey::Number(ExperimentNumber::CreationTime);
    assert_order(w, key, &["Default", "b", "a"], &["a", "b", "Default"]).await
}

async fn experiments_order_by_last_update(w: &World) -> Outcome {
    let ids = create(w, &["a", "b"]).await?;
    for (id, name) in [(ids[1], "b2"), (ids[0], "a2")] {
        next_millisecond().await;
        w.tracking.rename_experiment(id, name.to_owned()).await?;
    }
    let key = ExperimentKey::Number(ExperimentNumber::LastUpdateTime);
    assert_order(w, key, &["Default", "b2", "a2"], &["a2", "b2", "Default"]).await
}

async fn ties_of_an_order_come_by_id_largest_first(w: &World) -> Outcome {
    let ids = create(w, &["a", "b", "c", "d"]).await?;
    let times = |e: &Experiment| e.creation_time.unwrap_or_default();
    let key = ExperimentKey::Number(ExperimentNumber::CreationTime);
    let order_by: Vec<Order<ExperimentKey>> = vec![ascending(key)];
    let found = search(
        w,
        ExperimentQuery {
            order_by,
            ..query(&[])
        },
    )
    .await?;
    assert_eq!(found.items.len(), ids.len() + 1);
    for pair in found.items.windows(2) {
        let by_rule = times(&pair[0]) < times(&pair[1])
            || times(&pair[0]) == times(&pair[1]) && pair[0].experiment_id > pair[1].experiment_id;
        assert!(by_rule, "{:?} before {:?}", pair[0], pair[1]);
    }
    Ok(())
}

async fn pages_visit_every_experiment_once(w: &World) -> Outcome {
    create(w, &["a", "b", "c", "d", "e", "f"]).await?;
    for order_by in [Vec::new(), vec![descending(ExperimentKey::Name)]] {
        let query = ExperimentQuery {
            order_by,
            ..query(&[])
        };
        let all = search(w, query.clone()).await?.items;
        for size in [1, 3, 6, 7, 8] {
            let (mut found, mut token) = (Vec::new(), None);
            loop {
                let page = page(size, token);
                let next = search(
                    w,
                    ExperimentQuery {
                        page,
                        ..query.clone()
                    },
                )
                .await?;
                found.extend(next.items);
                token = next.next_token;
                if token.is_none() || found.len() > all.len() {
                    break;
                }
            }
            assert_eq!(names(&found), names(&all), "pages of {size}");
        }
    }
    Ok(())
}

async fn the_last_page_has_no_token(w: &World) -> Outcome {
    create(w, &["a", "b", "c"]).await?;
    let first = ExperimentQuery {
        page: page(2, None),
        ..query(&[])
    };
    let first = search(w, first).await?;
    assert!(first.next_token.is_some());
    let last = ExperimentQuery {
        page: page(2, first.next_token),
        ..query(&[])
    };
    let last = search(w, last).await?;
    assert_eq!((last.items.len(), last.next_token), (2, None));
    Ok(())
}

async fn a_token_that_is_none_is_refused(w: &World) -> Outcome {
    for token in ["nonsense", "é", "e30="] {
        let query = ExperimentQuery {
            page: page(1, Some(token.to_owned())),
            ..query(&[])
        };
        let code = search(w, query).await.err().map(|error| error.code());
        assert_eq!(
            code,
            Some(ErrorCode::InvalidParameterValue),
            "token {token:?}"
        );
    }
    Ok(())
}
