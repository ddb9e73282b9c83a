//! Migration scripts: SQL, with four sentences of its own.
//!
//! A statement ends with a `;` at the end of a line. A line `begin` opens the
//! body of a trigger or function, which closes with a line that starts with
//! `end`. Lines that start with `--` are comments.
//!
//! What SQL cannot say on every database is said in words:
//!
//! - `rebuild table T (…);` gives a table of SQLite a new definition: its rows,
//!   indexes and triggers are kept;
//! - `drop foreign keys of T (columns);` drops those of exactly these columns,
//!   whatever the database has called them, and `drop unique of T (columns);`
//!   does the same to unique keys;
//! - `call NAME;` runs a step that is written in Rust.

/// One statement of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Statement {
    /// `rebuild table`: the name, and what stands from the parenthesis on.
    Rebuild {
        table: &'static str,
        definition: &'static str,
    },
    /// `drop foreign keys of`.
    DropForeignKeys {
        table: &'static str,
        columns: Vec<&'static str>,
    },
    /// `drop unique of`.
    DropUnique {
        table: &'static str,
        columns: Vec<&'static str>,
    },
    /// `call`.
    Call(&'static str),
    /// SQL.
    Sql { text: &'static str, effect: Effect },
}

/// What a statement of SQL does to the schema, as far as it must be known to
/// run it again where it may have run before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    CreateTable(&'static str),
    CreateTrigger(&'static str),
    CreateIndex {
        table: &'static str,
        index: &'static str,
    },
    DropIndex {
        table: Option<&'static str>,
        index: &'static str,
    },
    AddColumn {
        table: &'static str,
        column: &'static str,
    },
    DropColumn {
        table: &'static str,
        column: &'static str,
    },
    RenameColumn {
        table: &'static str,
        from: &'static str,
    },
    AddConstraint {
        table: &'static str,
        name: &'static str,
    },
    DropForeignKey {
        table: &'static str,
        name: &'static str,
    },
    PrimaryKey {
        table: &'static str,
        columns: Vec<&'static str>,
    },
    /// A new type for a column.
    Retype(&'static str),
    /// Anything else: it can be run twice.
    Other,
}

impl Statement {
    /// The tables whose rows the statement goes through, if it can take long.
    pub(super) fn large(&self) -> &[&'static str] {
        match self {
            Self::Call("move_traces") => &["trace_info", "spans", "assessments"],
            Self::Rebuild { table, .. }
            | Self::Sql {
                effect:
                    Effect::CreateIndex { table, .. }
                    | Effect::AddConstraint { table, .. }
                    | Effect::PrimaryKey { table, .. }
                    | Effect::DropColumn { table, .. }
                    | Effect::Retype(table),
                ..
            } => std::slice::from_ref(table),
            _ => &[],
        }
    }
}

/// The statements of a script.
pub(super) fn parse(script: &'static str) -> Vec<Statement> {
    split(script).into_iter().map(statement).collect()
}

/// Cuts a script into statements, without comments before them and without the
/// `;` at their end.
fn split(script: &'static str) -> Vec<&'static str> {
    let mut statements = Vec::new();
    let (mut start, mut at, mut in_body) = (None, 0, false);
    for line in script.split_inclusive('\n') {
        let text = line.trim_end();
        let here = at;
        at += line.len();
        if start.is_none() && (text.is_empty() || text.starts_with("--")) {
            continue;
        }
        let first = *start.get_or_insert(here);
        if text == "begin" {
            in_body = true;
        } else if in_body && text.starts_with("end") {
            in_body = false;
        }
        if !in_body && text.ends_with(';') {
            statements.push(&script[first..here + text.len() - 1]);
            start = None;
        }
    }
    statements
}

fn statement(text: &'static str) -> Statement {
    let words = words(text);
    match words.as_slice() {
        ["rebuild", "table", table, ..] => Statement::Rebuild {
            table,
            definition: text.find('(').map_or("", |at| &text[at..]),
        },
        ["drop", "foreign", "keys", "of", table, columns @ ..] => Statement::DropForeignKeys {
            table,
            columns: columns.to_vec(),
        },
        ["drop", "unique", "of", table, columns @ ..] => Statement::DropUnique {
            table,
            columns: columns.to_vec(),
        },
        ["call", name] => Statement::Call(name),
        words => Statement::Sql {
            text,
            effect: effect(words),
        },
    }
}

fn effect(words: &[&'static str]) -> Effect {
    match *words {
        ["create", "table", "if", "not", "exists", table, ..] | ["create", "table", table, ..] => {
            Effect::CreateTable(table)
        }
        ["create", "trigger", name, ..] => Effect::CreateTrigger(name),
        ["create", "unique", "index", index, "on", table, ..]
        | ["create", "index", index, "on", table, ..] => Effect::CreateIndex { table, index },
        ["drop", "index", index, "on", table] => Effect::DropIndex {
            table: Some(table),
            index,
        },
        ["drop", "index", index] => Effect::DropIndex { table: None, index },
        [
            "alter",
            "table",
            table,
            "add",
            "column",
            "if",
            "not",
            "exists",
            column,
            ..,
        ]
        | ["alter", "table", table, "add", "column", column, ..] => {
            Effect::AddColumn { table, column }
        }
        ["alter", "table", table, "drop", "column", column] => Effect::DropColumn { table, column },
        [
            "alter",
            "table",
            table,
            "change" | "rename",
            "column",
            from,
            ..,
        ]
        | ["alter", "table", table, "change", from, ..] => Effect::RenameColumn { table, from },
        ["alter", "table", table, "drop", "foreign", "key", name] => {
            Effect::DropForeignKey { table, name }
        }
        [
            "alter",
            "table",
            table,
            "drop",
            "primary",
            "key",
            "add",
            "constraint",
            _,
            "primary",
            "key",
            ref columns @ ..,
        ]
        | [
            "alter",
            "table",
            table,
            "drop",
            "constraint",
            _,
            "add",
            "constraint",
            _,
            "primary",
            "key",
            ref columns @ ..,
        ] => Effect::PrimaryKey {
            table,
            columns: columns.to_vec(),
        },
        ["alter", "table", table, "add", "constraint", name, ..] => {
            Effect::AddConstraint { table, name }
        }
        ["alter", "table", table, "modify" | "alter", ..] => Effect::Retype(table),
        _ => Effect::Other,
    }
}

/// The words of a statement, without quotes around names.
fn words(text: &'static str) -> Vec<&'static str> {
    text.split(|c: char| c.is_whitespace() || "(),;".contains(c))
        .map(|word| word.trim_matches(['`', '"']))
        .filter(|word| !word.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_one_statement() {
        let script = "-- A comment; it counts for nothing.\n\ninsert into a\nvalues (1);\n\
            create trigger t before update on a\nbegin\n    select 1;\nend;\ndrop index i;\n";
        assert_eq!(
            split(script),
            [
                "insert into a\nvalues (1)",
                "create trigger t before update on a\nbegin\n    select 1;\nend",
                "drop index i",
            ]
        );
    }

    #[test]
    fn sentences_are_read() {
        let script = "rebuild table a (\n    b TEXT\n);\ndrop foreign keys of a (b, c);\ncall f;\n";
        assert_eq!(
            parse(script),
            [
                Statement::Rebuild {
                    table: "a",
                    definition: "(\n    b TEXT\n)"
                },
                Statement::DropForeignKeys {
                    table: "a",
                    columns: vec!["b", "c"]
                },
                Statement::Call("f"),
            ]
        );
    }

    #[test]
    fn what_a_statement_does_is_known() {
        let effect = |text| effect(&words(text));
        assert_eq!(
            effect("alter table a drop primary key, add constraint p primary key (b, `key`)"),
            Effect::PrimaryKey {
                table: "a",
                columns: vec!["b", "key"]
            }
        );
        assert_eq!(
            effect("alter table a add column if not exists b TEXT"),
            Effect::AddColumn {
                table: "a",
                column: "b"
            }
        );
        assert_eq!(
            effect("create unique index i\n    on a (b)"),
            Effect::CreateIndex {
                table: "a",
                index: "i"
            }
        );
    }
}
