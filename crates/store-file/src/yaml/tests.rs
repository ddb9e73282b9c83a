//! What `PyYAML` wrote is printed and read alike; what is hostile is refused.

use proptest::prelude::*;
use serde_json::Value;

use super::*;

fn of_json(value: &Value) -> Yaml {
    match value {
        Value::Null => Yaml::Null,
        Value::Bool(truth) => Yaml::Bool(*truth),
        Value::Number(number) => number
            .as_i64()
            .map_or_else(|| Yaml::Float(number.as_f64().unwrap()), Yaml::Int),
        Value::String(text) => Yaml::Str(text.clone()),
        Value::Array(list) => Yaml::List(list.iter().map(of_json).collect()),
        Value::Object(map) => Yaml::Map(map.iter().map(|(k, v)| (k.clone(), of_json(v))).collect()),
    }
}

/// `RUNLEDGER_YAML_CORPUS` names a larger file of `make_yaml_corpus.py`.
fn corpus() -> Vec<(Map, String)> {
    let text = match std::env::var_os("RUNLEDGER_YAML_CORPUS") {
        Some(path) => std::fs::read_to_string(path).unwrap(),
        None => include_str!("../../tests/data/yaml_corpus.json").to_owned(),
    };
    let pairs: Vec<(Value, String)> = serde_json::from_str(&text).unwrap();
    let pairs = pairs
        .into_iter()
        .map(|(value, text)| match of_json(&value) {
            Yaml::Map(map) => (map, text),
            other => panic!("{other:?} is no mapping"),
        });
    pairs.collect()
}

#[test]
fn what_is_printed_is_what_pyyaml_prints() {
    let corpus = corpus();
    assert!(corpus.len() > 400);
    let wrong: Vec<_> = corpus
        .iter()
        .filter_map(|(map, text)| {
            let ours = print(map);
            (ours != *text).then(|| format!("{map:?}\n ours {ours:?}\ntheirs {text:?}"))
        })
        .collect();
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        corpus.len(),
        wrong[..wrong.len().min(8)].join("\n")
    );
}

#[test]
fn what_pyyaml_prints_is_read_as_it_was() {
    let wrong: Vec<_> = corpus()
        .into_iter()
        .filter_map(|(map, text)| match parse(&text) {
            Ok(Yaml::Map(read)) if read == map => None,
            Ok(Yaml::Null) if map.is_empty() => None,
            other => Some(format!("{text:?}\n expected {map:?}\n got {other:?}")),
        })
        .collect();
    assert!(
        wrong.is_empty(),
        "{}:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(8)].join("\n")
    );
}

#[test]
fn plain_text_means_what_it_means_in_yaml_1_1() {
    for (text, value) in [
        ("0x1F", Yaml::Int(31)),
        ("010", Yaml::Int(8)),
        ("-1_0", Yaml::Int(-10)),
        ("Off", Yaml::Bool(false)),
        ("1e5", Yaml::from("1e5")),
        ("1.0e+5", Yaml::Float(1e5)),
        ("-.inf", Yaml::Float(f64::NEG_INFINITY)),
        ("1:30", Yaml::Other("1:30".to_owned())),
        ("2020-01-01", Yaml::Other("2020-01-01".to_owned())),
        (
            "9223372036854775808",
            Yaml::Other("9223372036854775808".to_owned()),
        ),
        ("!!str 1", Yaml::from("1")),
        ("'1'", Yaml::from("1")),
        ("", Yaml::Null),
    ] {
        assert_eq!(parse(text).unwrap(), value, "{text}");
    }
}

#[test]
fn of_equal_keys_the_last_wins_and_aliases_are_copies() {
    let Yaml::Map(map) = parse("a: 1\nb: &x {c: d}\na: 2\ne: *x\nf: {<<: *x, g: h}\n").unwrap()
    else {
        panic!("no mapping");
    };
    assert_eq!(
        print(&map),
        "a: 2\nb:\n  c: d\ne:\n  c: d\nf:\n  c: d\n  g: h\n"
    );
}

#[test]
fn what_we_do_not_model_survives() {
    let text = "big: 99999999999999999999\ntime: 2020-01-01 10:00:00\n";
    let Yaml::Map(map) = parse(text).unwrap() else {
        panic!("no mapping");
    };
    assert_eq!(print(&map), text);
}

#[test]
fn hostile_texts_are_refused() {
    let laughs = (1..60).fold("a0: &a0 [x, x]\n".to_owned(), |mut text, n| {
        use std::fmt::Write as _;
        writeln!(text, "a{n}: &a{n} [*a{}, *a{}]", n - 1, n - 1).unwrap();
        text
    });
    let long = MAX_BYTES - 100;
    let texts = [
        laughs,
        format!(
            "a: &a {}\nb: [{}]",
            "x".repeat(1_000_000),
            "*a, ".repeat(100_000)
        ),
        "&a [*a]".to_owned(),
        "[".repeat(long),
        "{a: ".repeat(long / 4),
        "- ".repeat(long / 2),
        "? ".repeat(long / 2),
        "a: !!python/object:os.system x".to_owned(),
        "a: 1\n---\nb: 2\n".to_owned(),
        "{[a]: b}".to_owned(),
        "x".repeat(MAX_BYTES + 1),
        "\"".to_owned(),
        "a: \u{0}".to_owned(),
    ];
    for text in texts {
        let head: String = text.chars().take(40).collect();
        assert!(parse(&text).is_err(), "{head}");
    }
}

#[test]
fn large_texts_are_read() {
    const LARGE: usize = MAX_BYTES / 8;
    for text in [
        "a: 'b'\n".repeat(LARGE / 7),
        format!("a: \"{}\"", "x y ".repeat(LARGE / 4)),
        format!("a: {}", "x y ".repeat(LARGE / 4)),
        format!("[{}]", "a, ".repeat(LARGE / 3)),
        format!("a: '{} '", "\n".repeat(LARGE)),
        format!("a: 1 #{}", "#".repeat(LARGE)),
    ] {
        let head: String = text.chars().take(20).collect();
        parse(&text).unwrap_or_else(|error| panic!("{head}: {error}"));
    }
}

fn any_yaml() -> impl Strategy<Value = Yaml> {
    let text = prop_oneof![
        any::<String>(),
        "[ a-z'\":#\n-]{0,200}",
        "[-+0-9.eE_:x ]{1,12}"
    ];
    let leaf = prop_oneof![
        Just(Yaml::Null),
        any::<bool>().prop_map(Yaml::Bool),
        any::<i64>().prop_map(Yaml::Int),
        any::<f64>()
            .prop_filter("NaN is not equal to itself", |f| !f.is_nan())
            .prop_map(Yaml::Float),
        text.prop_map(Yaml::Str),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Yaml::List),
            prop::collection::btree_map(any::<String>(), inner, 0..4).prop_map(Yaml::Map),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_printed_is_read(
        map in prop::collection::btree_map(any::<String>(), any_yaml(), 1..4)
    ) {
        let text = print(&map);
        prop_assert_eq!(parse(&text).unwrap(), Yaml::Map(map), "{}", text);
    }

    #[test]
    fn no_text_panics(text in "[-\\[\\]{}?:,#&*!|>'\"%@` a\n\t0.~\\\\é]{0,60}") {
        let _ = parse(&text);
    }
}
