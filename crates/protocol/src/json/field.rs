//! Fields of request messages, read by protobuf's JSON rules.
//!
//! Reading a field never fails on a wrong type: the wrong value is kept, and
//! reported when the field is used, because MLflow reports errors in the order
//! of its checks and not in the order of the body.

use std::{collections::BTreeMap, fmt, marker::PhantomData};

use runledger_entities::{
    LoggedModelStatus, RunStatus, SourceType, TraceState, ViewType, WebhookAction, WebhookEntity,
    WebhookStatus,
};
use serde::de::{self, Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{
    repair,
    value::{Json, JsonVisitor, not_this},
};
use crate::RequestError;

/// A field as it stands in a request.
#[derive(Debug, Default)]
pub(crate) enum Field<T> {
    /// Missing, `null`, or an enum name that nobody knows.
    #[default]
    Absent,
    /// Present.
    Value(T),
    /// Present, and not what the message says.
    Wrong(Box<Wrong>),
}

/// What is wrong with a field.
#[derive(Debug)]
pub(crate) enum Wrong {
    /// The value is of another type.
    Type(Json),
    /// An item of the list is of another type.
    Item {
        /// Its place in the list.
        index: usize,
        /// The item.
        value: Json,
    },
    /// A message in the field spells one of its fields both ways.
    Spelling(&'static str),
}

impl Wrong {
    /// This, found in an item of a list.
    fn of_item(self, index: usize) -> Self {
        match self {
            Self::Type(value) => Self::Item { index, value },
            deeper @ (Self::Item { .. } | Self::Spelling(_)) => deeper,
        }
    }

    /// Whether it is a text in place of something else.
    pub(super) fn is_text(&self) -> bool {
        matches!(self, Self::Type(Json::Text(_)))
    }

    pub(crate) fn error(self, parameter: impl fmt::Display) -> RequestError {
        match self {
            Self::Type(value) => RequestError::wrong_type(parameter.to_string(), &value),
            Self::Item { index, value } => {
                RequestError::wrong_type(format!("{parameter}[{index}]"), &value)
            }
            Self::Spelling(name) => RequestError::both_spellings(name),
        }
    }
}

impl<T> Field<T> {
    /// A field that holds a value of another type.
    pub(crate) fn of_wrong_type(value: Json) -> Self {
        Self::Wrong(Box::new(Wrong::Type(value)))
    }

    /// The value, or nothing.
    ///
    /// `parameter` names the field in the error message.
    pub(crate) fn optional(self, parameter: impl fmt::Display) -> Result<Option<T>, RequestError> {
        match self {
            Self::Absent => Ok(None),
            Self::Value(value) => Ok(Some(value)),
            Self::Wrong(wrong) => Err(wrong.error(parameter)),
        }
    }

    /// The value, which must be there.
    pub(crate) fn required(self, parameter: impl fmt::Display) -> Result<T, RequestError> {
        match self {
            Self::Absent => Err(RequestError::missing(parameter)),
            Self::Value(value) => Ok(value),
            Self::Wrong(wrong) => Err(wrong.error(parameter)),
        }
    }

    /// The value, or the type's default.
    pub(crate) fn or_default(self, parameter: impl fmt::Display) -> Result<T, RequestError>
    where
        T: Default,
    {
        Ok(self.optional(parameter)?.unwrap_or_default())
    }
}

impl Field<String> {
    /// The text, which must be there and not be empty.
    pub(crate) fn required_text(
        self,
        parameter: impl fmt::Display,
    ) -> Result<String, RequestError> {
        match self {
            Self::Value(text) if text.is_empty() => Err(RequestError::missing(parameter)),
            other => other.required(parameter),
        }
    }

    /// The text, where it is there and not empty.
    pub(crate) fn non_empty(
        self,
        parameter: impl fmt::Display,
    ) -> Result<Option<String>, RequestError> {
        Ok(self.optional(parameter)?.filter(|text| !text.is_empty()))
    }

    /// The text of `run_id` of a message that has no `run_uuid`: that is taken
    /// for a run id where MLflow looks whether there is one, and then left out, so
    /// that it names no run.
    pub(crate) fn without_run_uuid(self, run_uuid: Self) -> Result<String, RequestError> {
        match (self, run_uuid) {
            (Self::Absent, Self::Value(old)) if !old.is_empty() => Ok(String::new()),
            (run_id, _) => run_id.required_text("run_id"),
        }
    }

    /// The text of `run_id`, for which `run_uuid`, its old name, stands in.
    pub(crate) fn or_run_uuid(self, run_uuid: Self) -> Result<String, RequestError> {
        match self {
            Self::Absent => match run_uuid {
                Self::Absent => Err(RequestError::missing("run_id")),
                old => old.required_text("run_uuid"),
            },
            present => present.required_text("run_id"),
        }
    }
}

/// How the value of a field stands in a query string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Once; of several the first counts.
    One,
    /// Once, `true` or `false`.
    Flag,
    /// Any number of times.
    Many,
}

/// A type that a field can have.
pub(crate) trait FieldType: Sized {
    /// How it stands in a query string.
    const SHAPE: Shape;

    /// Reads it; an error is an error of the JSON text, not of its meaning.
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Field<Self>, D::Error>;
}

impl<'de, T: FieldType> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::read(deserializer)
    }
}

/// A type that one JSON scalar stands for.
///
/// `None` says that the scalar does not stand for it.
pub(crate) trait Scalar: Sized {
    const SHAPE: Shape = Shape::One;

    fn from_text(text: &str) -> Option<Field<Self>>;

    fn from_bool(_: bool) -> Option<Field<Self>> {
        None
    }

    fn from_int(_: i64) -> Option<Field<Self>> {
        None
    }

    fn from_float(_: f64) -> Option<Field<Self>> {
        None
    }
}

impl<T: Scalar> FieldType for T {
    const SHAPE: Shape = <T as Scalar>::SHAPE;

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Field<Self>, D::Error> {
        deserializer.deserialize_any(ScalarVisitor(PhantomData))
    }
}

struct ScalarVisitor<T>(PhantomData<T>);

impl<'de, T: Scalar> Visitor<'de> for ScalarVisitor<T> {
    type Value = Field<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
        Ok(Field::Absent)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Self::Value, E> {
        Ok(T::from_bool(value).unwrap_or_else(|| Field::of_wrong_type(Json::Bool(value))))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Self::Value, E> {
        Ok(T::from_int(value).unwrap_or_else(|| Field::of_wrong_type(Json::Int(value))))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Self::Value, E> {
        match i64::try_from(value) {
            Ok(value) => self.visit_i64(value),
            #[expect(clippy::cast_precision_loss, reason = "a double has 53 bits")]
            Err(_) => Ok(T::from_float(value as f64)
                .unwrap_or_else(|| Field::of_wrong_type(Json::Big(value)))),
        }
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Self::Value, E> {
        Ok(T::from_float(value).unwrap_or_else(|| Field::of_wrong_type(Json::Float(value))))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        if let Some(number) = repair::number(text) {
            return self.visit_f64(number);
        }
        match T::from_text(text) {
            Some(field) => Ok(field),
            None => JsonVisitor.visit_str(text).map(Field::of_wrong_type),
        }
    }

    not_this! { seq, map }
}

impl Scalar for String {
    fn from_text(text: &str) -> Option<Field<Self>> {
        Some(Field::Value(text.to_owned()))
    }
}

impl Scalar for bool {
    const SHAPE: Shape = Shape::Flag;

    fn from_text(_: &str) -> Option<Field<Self>> {
        None
    }

    fn from_bool(value: bool) -> Option<Field<Self>> {
        Some(Field::Value(value))
    }
}

/// A double: a number, its text, or the name of one that JSON cannot write.
impl Scalar for f64 {
    fn from_text(text: &str) -> Option<Field<Self>> {
        let value = match text {
            // MLflow counts an empty text as no value.
            "" => return Some(Field::Absent),
            "NaN" => Self::NAN,
            "Infinity" => Self::INFINITY,
            "-Infinity" => Self::NEG_INFINITY,
            _ => decimal(text)?,
        };
        Some(Field::Value(value))
    }

    fn from_bool(value: bool) -> Option<Field<Self>> {
        Some(Field::Value(value.into()))
    }

    #[expect(clippy::cast_precision_loss, reason = "a double has 53 bits")]
    fn from_int(value: i64) -> Option<Field<Self>> {
        Some(Field::Value(value as Self))
    }

    fn from_float(value: f64) -> Option<Field<Self>> {
        Some(Field::Value(value))
    }
}

/// An int64: a number, an integral float, or the text of either.
impl Scalar for i64 {
    fn from_text(text: &str) -> Option<Field<Self>> {
        match text.parse() {
            Ok(value) => Some(Field::Value(value)),
            Err(_) => integral(decimal(text)?).map(Field::Value),
        }
    }

    fn from_int(value: i64) -> Option<Field<Self>> {
        Some(Field::Value(value))
    }

    fn from_float(value: f64) -> Option<Field<Self>> {
        integral(value).map(Field::Value)
    }
}

/// An int32, written as an int64.
impl Scalar for i32 {
    fn from_text(text: &str) -> Option<Field<Self>> {
        let wide = text.parse().ok();
        Self::from_int(wide.or_else(|| integral(decimal(text)?))?)
    }

    fn from_int(value: i64) -> Option<Field<Self>> {
        Self::try_from(value).ok().map(Field::Value)
    }

    fn from_float(value: f64) -> Option<Field<Self>> {
        Self::from_int(integral(value)?)
    }
}

/// The int64 that a float stands for.
#[expect(
    clippy::cast_possible_truncation,
    reason = "integral and within the range of int64"
)]
fn integral(value: f64) -> Option<i64> {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    // A whole number below the range, too, is read as -LIMIT.
    (value.fract() == 0.0 && value > -LIMIT && value < LIMIT).then_some(value as i64)
}

/// A finite number in decimal notation.
fn decimal(text: &str) -> Option<f64> {
    let plain = |b: u8| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E');
    if !text.bytes().all(plain) {
        return None;
    }
    text.parse().ok().filter(|value: &f64| value.is_finite())
}

/// Enums are names or numbers; an unknown name counts as absent, an unknown
/// number is wrong (MLflow 3.17).
macro_rules! enums {
    ($($type:ty: $from_name:expr, $from_number:expr;)*) => {$(
        impl Scalar for $type {
            fn from_text(text: &str) -> Option<Field<Self>> {
                let known = $from_name(text).or_else(|| $from_number(text.parse::<i64>().ok()?));
                Some(known.map_or(Field::Absent, Field::Value))
            }

            fn from_int(value: i64) -> Option<Field<Self>> {
                $from_number(value).map(Field::Value)
            }

            fn from_float(value: f64) -> Option<Field<Self>> {
                Self::from_int(integral(value)?)
            }
        }
    )*};
}

enums! {
    RunStatus: Self::from_name, |number| match number {
        1 => Some(RunStatus::Running),
        2 => Some(RunStatus::Scheduled),
        3 => Some(RunStatus::Finished),
        4 => Some(RunStatus::Failed),
        5 => Some(RunStatus::Killed),
        _ => None,
    };
    ViewType: |name: &str| match name {
        "ACTIVE_ONLY" => Some(ViewType::ActiveOnly),
        "DELETED_ONLY" => Some(ViewType::DeletedOnly),
        "ALL" => Some(ViewType::All),
        _ => None,
    }, |number| match number {
        1 => Some(ViewType::ActiveOnly),
        2 => Some(ViewType::DeletedOnly),
        3 => Some(ViewType::All),
        _ => None,
    };
    LoggedModelStatus: Self::from_name, |number: i64| {
        i32::try_from(number).ok().and_then(LoggedModelStatus::from_number)
    };
    TraceState: Self::from_name, |number| match number {
        0 => Some(TraceState::Unspecified),
        1 => Some(TraceState::Ok),
        2 => Some(TraceState::Error),
        3 => Some(TraceState::InProgress),
        _ => None,
    };
    WebhookStatus: Self::from_name, |number| match number {
        1 => Some(WebhookStatus::Active),
        2 => Some(WebhookStatus::Disabled),
        _ => None,
    };
    WebhookEntity: Self::from_wire_name, Self::from_number;
    WebhookAction: Self::from_wire_name, Self::from_number;
    SourceType: |name: &str| Self::from_name(name).filter(|_| name != "AI_JUDGE"), |number| match number {
        0 => Some(SourceType::Unspecified),
        1 => Some(SourceType::Human),
        2 => Some(SourceType::LlmJudge),
        3 => Some(SourceType::Code),
        _ => None,
    };
}

/// A list of which at most `MAX` items are kept; the others are only counted.
///
/// What a request may cost is bounded here: `{},` is three bytes of text and
/// a hundred as an empty message.
#[derive(Debug)]
pub(crate) struct List<T, const MAX: usize> {
    /// The first items.
    pub(crate) items: Vec<T>,
    /// How many there are in the request.
    pub(crate) count: usize,
}

impl<T, const MAX: usize> Default for List<T, MAX> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            count: 0,
        }
    }
}

impl<T, const MAX: usize> List<T, MAX> {
    /// All the items, or an error where there are too many.
    fn all(self, parameter: impl fmt::Display) -> Result<Vec<T>, RequestError> {
        if self.count > MAX {
            return Err(RequestError::TooManyItems {
                parameter: parameter.to_string(),
                count: self.count,
                limit: MAX,
            });
        }
        Ok(self.items)
    }
}

impl<T, const MAX: usize> Field<List<T, MAX>> {
    /// The items, none if the field is absent.
    pub(crate) fn all(self, parameter: impl fmt::Display) -> Result<Vec<T>, RequestError> {
        self.or_default(&parameter)?.all(parameter)
    }

    /// The items of a field that must be there.
    pub(crate) fn required_all(self, parameter: impl fmt::Display) -> Result<Vec<T>, RequestError> {
        self.required(&parameter)?.all(parameter)
    }
}

/// A list; `null` is no item.
impl<T: FieldType, const MAX: usize> FieldType for List<T, MAX> {
    const SHAPE: Shape = Shape::Many;

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Field<Self>, D::Error> {
        deserializer.deserialize_any(ListVisitor(PhantomData))
    }
}

/// A map from texts to texts, of at most `MAX`.
#[derive(Debug, Default)]
pub(crate) struct Texts<const MAX: usize>(pub(crate) BTreeMap<String, String>);

impl<const MAX: usize> FieldType for Texts<MAX> {
    const SHAPE: Shape = Shape::One;

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Field<Self>, D::Error> {
        deserializer.deserialize_any(TextsVisitor::<MAX>)
    }
}

struct TextsVisitor<const MAX: usize>;

impl<'de, const MAX: usize> Visitor<'de> for TextsVisitor<MAX> {
    type Value = Field<Texts<MAX>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut texts = BTreeMap::new();
        let mut wrong = None;
        while let Some(key) = map.next_key::<String>()? {
            match map.next_value::<Field<String>>()? {
                Field::Value(text) if texts.len() < MAX => drop(texts.insert(key, text)),
                // More of them than any client has a use for.
                Field::Value(text) => drop(wrong.get_or_insert(Wrong::Type(Json::Text(text)))),
                Field::Absent => drop(wrong.get_or_insert(Wrong::Type(Json::Null))),
                Field::Wrong(value) => drop(wrong.get_or_insert(*value)),
            }
        }
        Ok(match wrong {
            Some(wrong) => Field::Wrong(Box::new(wrong)),
            None => Field::Value(Texts(texts)),
        })
    }

    not_this! { unit, bool, i64, u64, f64, str, seq }
}

struct ListVisitor<T, const MAX: usize>(PhantomData<T>);

impl<'de, T: FieldType, const MAX: usize> Visitor<'de> for ListVisitor<T, MAX> {
    type Value = Field<List<T, MAX>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while items.len() < MAX {
            let Some(item) = seq.next_element::<Field<T>>()? else {
                let count = items.len();
                return Ok(Field::Value(List { items, count }));
            };
            let wrong = match item {
                Field::Value(item) => {
                    items.push(item);
                    continue;
                }
                Field::Absent => Wrong::Type(Json::Null),
                Field::Wrong(wrong) => *wrong,
            };
            while seq.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(Field::Wrong(Box::new(wrong.of_item(items.len()))));
        }
        let mut count = items.len();
        while seq.next_element::<IgnoredAny>()?.is_some() {
            count += 1;
        }
        Ok(Field::Value(List { items, count }))
    }

    not_this! { unit, bool, i64, u64, f64, str, map }
}
