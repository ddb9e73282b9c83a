//! Tags and metadata of a trace, of which some are columns.

use std::collections::{BTreeMap, HashMap};

use runledger_entities::{Cost, TokenUsage, trace_keys};

use crate::{
    migrate::python::Json,
    nouns::rows::Values,
    sql::{Prepared, Sql},
};

/// What of tags and metadata is in columns, and what remains.
pub(in crate::nouns) struct Parts {
    pub(in crate::nouns) name: Option<String>,
    pub(in crate::nouns) session: Option<String>,
    /// The columns of numbers that are named, with their values.
    numbers: Vec<(&'static str, Number)>,
    pub(in crate::nouns) tags: BTreeMap<String, String>,
    pub(in crate::nouns) metadata: BTreeMap<String, String>,
}

#[derive(Clone, Copy)]
enum Number {
    Count(Option<i64>),
    Amount(Option<f64>),
}

impl Number {
    fn bind(self, sql: Sql) -> Sql {
        match self {
            Self::Count(count) => sql.optional_int(count),
            Self::Amount(amount) => sql.optional_real(amount),
        }
    }
}

impl Parts {
    pub(in crate::nouns) fn of(
        tags: &BTreeMap<String, String>,
        metadata: &BTreeMap<String, String>,
    ) -> Self {
        let (mut tags, mut metadata) = (tags.clone(), metadata.clone());
        let members = |text: Option<String>| match text.as_deref().and_then(Json::parse) {
            Some(Json::Object(members)) => members,
            _ => HashMap::new(),
        };
        let usage = members(metadata.remove(trace_keys::TOKEN_USAGE));
        let cost = members(metadata.remove(trace_keys::COST));
        let counts = TokenUsage::MEMBERS.into_iter().filter_map(|(name, _)| {
            let count = usage.get(name)?;
            Some((name, Number::Count(count.count())))
        });
        let amounts = Cost::MEMBERS.into_iter().filter_map(|(name, _)| {
            let amount = cost.get(name)?;
            Some((name, Number::Amount(amount.finite())))
        });
        Self {
            numbers: counts.chain(amounts).collect(),
            name: tags.remove(trace_keys::NAME),
            session: metadata.remove(trace_keys::SESSION),
            tags,
            metadata,
        }
    }

    /// Appends the values of all columns of numbers, in the order of [`super::COLUMNS`].
    pub(in crate::nouns) fn numbers(&self, mut row: Values) -> Values {
        let columns = TokenUsage::MEMBERS
            .map(|(name, _)| (name, Number::Count(None)))
            .into_iter()
            .chain(Cost::MEMBERS.map(|(name, _)| (name, Number::Amount(None))));
        for (column, none) in columns {
            let told = self.numbers.iter().find(|(name, _)| *name == column);
            row = match told.map_or(none, |(_, number)| *number) {
                Number::Count(count) => row.optional_int(count),
                Number::Amount(amount) => row.optional_real(amount),
            };
        }
        row
    }

    /// The assignments of what is there, each after a comma.
    pub(in crate::nouns) fn set(&self, mut sql: Sql) -> Sql {
        sql.prepared = Prepared::Never;
        if let Some(name) = &self.name {
            sql = sql.sql(", trace_name = ").text(&**name);
        }
        if let Some(session) = &self.session {
            sql = sql.sql(", session_id = ").text(&**session);
        }
        for (column, number) in &self.numbers {
            sql = number.bind(sql.sql(", ").sql(column).sql(" = "));
        }
        sql
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_are_none_are_told_as_none() {
        let usage = r#"{"input_tokens": "x", "total_tokens": 3.0, "other": 1}"#;
        let metadata = BTreeMap::from([
            (trace_keys::TOKEN_USAGE.to_owned(), usage.to_owned()),
            ("m".to_owned(), "v".to_owned()),
        ]);
        let parts = Parts::of(&BTreeMap::new(), &metadata);
        assert!(matches!(
            parts.numbers[..],
            [
                ("input_tokens", Number::Count(None)),
                ("total_tokens", Number::Count(Some(3)))
            ]
        ));
        assert_eq!(parts.metadata.len(), 1);
    }
}
