//! Trees back into text.
//!
//! What is printed here is read back as the same tree, as far as the grammar
//! can say it: there is no spelling for a key with a backtick, for a text with
//! both kinds of quotes or with a backslash before its closing quote (outside
//! of lists), and for NaN. In orders, keys with quotes, backslashes or spaces at
//! their end have none either; in filters of logged models, texts with single
//! quotes and keys with line breaks.

use std::fmt::{self, Display, Formatter};

use crate::{
    DatasetField, ExperimentClause, ExperimentKey, ExperimentNumber, LoggedModelClause,
    LoggedModelNumber, LoggedModelText, ModelVersionClause, ModelVersionKey, ModelVersionText,
    NumberOp, NumberTest, Order, RegisteredModelClause, RegisteredModelKey, RunClause, RunKey,
    RunNumber, RunText, TextOp, TextTest, TraceNumber,
};

macro_rules! names {
    ($($type:ident { $($variant:ident => $name:literal),* $(,)? })*) => {$(
        impl $type {
            /// The name in filters.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }

        impl Display for $type {
            fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }
    )*};
}

names! {
    NumberOp {
        Less => "<",
        LessOrEqual => "<=",
        Greater => ">",
        GreaterOrEqual => ">=",
        Equal => "=",
        NotEqual => "!=",
    }
    TextOp {
        Equal => "=",
        NotEqual => "!=",
        Like => "LIKE",
        ILike => "ILIKE",
        RLike => "RLIKE",
    }
    RunText {
        RunId => "run_id",
        RunName => "run_name",
        Status => "status",
        UserId => "user_id",
        ArtifactUri => "artifact_uri",
    }
    RunNumber {
        StartTime => "start_time",
        EndTime => "end_time",
    }
    DatasetField {
        Name => "name",
        Digest => "digest",
        Context => "context",
    }
    ExperimentNumber {
        CreationTime => "creation_time",
        LastUpdateTime => "last_update_time",
    }
    RegisteredModelKey {
        Name => "name",
        CreationTimestamp => "creation_timestamp",
        LastUpdatedTimestamp => "last_updated_timestamp",
    }
    ModelVersionText {
        Name => "name",
        RunId => "run_id",
        SourcePath => "source_path",
    }
    ModelVersionKey {
        Name => "name",
        Number => "version_number",
        CreationTimestamp => "creation_timestamp",
        LastUpdatedTimestamp => "last_updated_timestamp",
    }
    TraceNumber {
        Timestamp => "timestamp_ms",
        ExecutionTime => "execution_time_ms",
        EndTime => "end_time_ms",
    }
    LoggedModelText {
        Name => "name",
        ModelId => "model_id",
        ModelType => "model_type",
        SourceRunId => "source_run_id",
        ArtifactLocation => "artifact_location",
        StatusMessage => "status_message",
        LifecycleStage => "lifecycle_stage",
    }
    LoggedModelNumber {
        CreationTimestamp => "creation_timestamp",
        LastUpdatedTimestamp => "last_updated_timestamp",
        ExperimentId => "experiment_id",
        Status => "status",
    }
}

impl Display for NumberTest {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { op, value } = self;
        if value.is_infinite() {
            let sign = if *value < 0.0 { "-" } else { "" };
            return write!(f, "{op} {sign}1e999");
        }
        write!(f, "{op} {value}")
    }
}

impl Display for TextTest {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Compare { op, value } if value.contains('\'') => write!(f, "{op} \"{value}\""),
            Self::Compare { op, value } => write!(f, "{op} '{value}'"),
            Self::In { negated, values } => write_in(f, *negated, values),
            Self::IsNull => f.write_str("IS NULL"),
            Self::IsNotNull => f.write_str("IS NOT NULL"),
        }
    }
}

fn write_in(f: &mut Formatter<'_>, negated: bool, values: &[String]) -> fmt::Result {
    f.write_str(if negated { "NOT IN (" } else { "IN (" })?;
    for (at, value) in values.iter().enumerate() {
        f.write_str(if at == 0 { "'" } else { ", '" })?;
        for c in value.chars() {
            match c {
                // Escaped by number, so that no quote is found where none is meant.
                '\'' | '"' | '\\' | '\0'..='\x1f' => write!(f, "\\x{:02x}", u32::from(c))?,
                c => write!(f, "{c}")?,
            }
        }
        f.write_str("'")?;
    }
    f.write_str(")")
}

impl Display for RunClause {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Metric { key, test } => write!(f, "metrics.`{key}` {test}"),
            Self::Param { key, test } => write!(f, "params.`{key}` {test}"),
            Self::Tag { key, test } => write!(f, "tags.`{key}` {test}"),
            Self::Text { attribute, test } => write!(f, "attributes.{attribute} {test}"),
            Self::Number { attribute, test } => write!(f, "attributes.{attribute} {test}"),
            Self::Dataset { field, test } => write!(f, "datasets.{field} {test}"),
        }
    }
}

impl Display for RunKey {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Metric(key) => write!(f, "metrics.`{key}`"),
            Self::Param(key) => write!(f, "params.`{key}`"),
            Self::Tag(key) => write!(f, "tags.`{key}`"),
            Self::Text(attribute) => write!(f, "attributes.{attribute}"),
            Self::Number(attribute) => write!(f, "attributes.{attribute}"),
        }
    }
}

impl Display for ExperimentClause {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(test) => write!(f, "name {test}"),
            Self::Id { negated, values } => {
                f.write_str("experiment_id ")?;
                write_in(f, *negated, values)
            }
            Self::Number { attribute, test } => write!(f, "{attribute} {test}"),
            Self::Tag { key, test } => write!(f, "tags.`{key}` {test}"),
        }
    }
}

impl Display for ExperimentKey {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Name => "name",
            Self::Id => "experiment_id",
            Self::Number(attribute) => attribute.name(),
        })
    }
}

impl Display for RegisteredModelClause {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(test) => write!(f, "name {test}"),
            Self::Tag { key, test } => write!(f, "tags.`{key}` {test}"),
        }
    }
}

impl Display for ModelVersionClause {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text { attribute, test } => write!(f, "{attribute} {test}"),
            Self::Number(test) => write!(f, "version_number {test}"),
            Self::Tag { key, test } => write!(f, "tags.`{key}` {test}"),
        }
    }
}

impl Display for LoggedModelClause {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Metric { key, test } => write!(f, "metrics.`{key}` {test}"),
            Self::Param { key, test } => write!(f, "params.`{key}` {test}"),
            Self::Tag { key, test } => write!(f, "tags.`{key}` {test}"),
            Self::Text { attribute, test } => write!(f, "{attribute} {test}"),
            Self::Number { attribute, test } => write!(f, "{attribute} {test}"),
        }
    }
}

impl<K: Display> Display for Order<K> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let direction = if self.descending { "DESC" } else { "ASC" };
        write!(f, "{} {direction}", self.key)
    }
}
