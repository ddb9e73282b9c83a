//! The schema, out of `schema.graphql`.

use std::{collections::HashMap, sync::LazyLock};

use async_graphql::{
    Value,
    dynamic::{
        Enum, Field, FieldFuture, FieldValue, InputObject, InputValue, Object, ResolverContext,
        Scalar, Schema, SchemaError, TypeRef,
    },
    parser::{
        parse_schema,
        types::{BaseType, FieldDefinition, Type, TypeDefinition, TypeKind, TypeSystemDefinition},
    },
};
use serde_json::Value as Json;

use super::resolve;

const TEXT: &str = include_str!("schema.graphql");

/// The schema of the endpoint.
pub(super) fn schema() -> &'static Schema {
    static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
        #[expect(
            clippy::expect_used,
            reason = "the text is part of the program, and a test builds it"
        )]
        build().expect("the schema is whole")
    });
    &SCHEMA
}

fn build() -> Result<Schema, SchemaError> {
    let document = parse_schema(TEXT).map_err(|error| SchemaError(error.to_string()))?;
    let types: Vec<TypeDefinition> = document
        .definitions
        .into_iter()
        .filter_map(|definition| match definition {
            TypeSystemDefinition::Type(definition) => Some(definition.node),
            TypeSystemDefinition::Schema(_) | TypeSystemDefinition::Directive(_) => None,
        })
        .collect();
    // MLflow's messages give the first value where there is none.
    let first_values: HashMap<String, String> = types
        .iter()
        .filter_map(|definition| match &definition.kind {
            TypeKind::Enum(values) => Some((
                definition.name.node.to_string(),
                values.values.first()?.node.value.node.to_string(),
            )),
            _ => None,
        })
        .collect();
    let mut schema = Schema::build("Query", Some("Mutation"), None);
    for definition in types {
        let name = definition.name.node.to_string();
        schema = match definition.kind {
            TypeKind::Scalar => schema.register(Scalar::new(name)),
            TypeKind::Enum(values) => {
                let names = values
                    .values
                    .iter()
                    .map(|value| value.node.value.node.as_str());
                schema.register(names.fold(Enum::new(name), Enum::item))
            }
            TypeKind::InputObject(input) => {
                let fields = input.fields.iter().map(|field| {
                    InputValue::new(field.node.name.node.as_str(), type_ref(&field.node.ty.node))
                });
                schema.register(fields.fold(InputObject::new(name), InputObject::field))
            }
            TypeKind::Object(object) => {
                let fields = object
                    .fields
                    .iter()
                    .map(|field| object_field(&name, &field.node, &first_values))
                    .collect::<Result<Vec<_>, _>>()?;
                schema.register(fields.into_iter().fold(Object::new(name), Object::field))
            }
            TypeKind::Interface(_) | TypeKind::Union(_) => {
                return Err(SchemaError(format!(
                    "{name} is of a kind that is not known"
                )));
            }
        };
    }
    schema.finish()
}

fn object_field(
    object: &str,
    definition: &FieldDefinition,
    first_values: &HashMap<String, String>,
) -> Result<Field, SchemaError> {
    let name = definition.name.node.to_string();
    let returns = type_ref(&definition.ty.node);
    let mut field = if let Some(asked) = resolve::Asked::of(object, &name) {
        Field::new(name, returns, move |context| {
            resolve::resolve(asked, context)
        })
    } else if matches!(object, "Query" | "Mutation") {
        return Err(SchemaError(format!("nothing answers {object}.{name}")));
    } else {
        let kind = Kind::of(&definition.ty.node, first_values);
        let member = snake_case(&name);
        Field::new(name, returns, move |context: ResolverContext<'_>| {
            let parent = context.parent_value.downcast_ref::<Json>();
            FieldFuture::Value(kind.read(parent.and_then(|parent| parent.get(&member))))
        })
    };
    for argument in &definition.arguments {
        let (name, ty) = (&argument.node.name.node, &argument.node.ty.node);
        field = field.argument(InputValue::new(name.as_str(), type_ref(ty)));
    }
    Ok(field)
}

fn type_ref(ty: &Type) -> TypeRef {
    let inner = match &ty.base {
        BaseType::Named(name) => TypeRef::named(name.as_str()),
        BaseType::List(item) => TypeRef::List(Box::new(type_ref(item))),
    };
    if ty.nullable {
        inner
    } else {
        TypeRef::NonNull(Box::new(inner))
    }
}

/// `runId` → `run_id`.
pub(super) fn snake_case(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    snake
}

/// How a member of a REST answer is read.
///
/// A member that is not there has its type's default, since MLflow's fields are
/// those of protobuf messages.
#[derive(Clone, Debug)]
enum Kind {
    Text,
    Long,
    Integer,
    Number,
    Flag,
    /// With the first value.
    Enum(String),
    Object,
    /// Never there: failures are among the errors of the answer.
    ApiError,
    List(Box<Self>),
}

impl Kind {
    fn of(ty: &Type, first_values: &HashMap<String, String>) -> Self {
        let name = match &ty.base {
            BaseType::List(item) => return Self::List(Box::new(Self::of(item, first_values))),
            BaseType::Named(name) => name.as_str(),
        };
        match name {
            "String" => Self::Text,
            "LongString" => Self::Long,
            "Int" => Self::Integer,
            "Float" => Self::Number,
            "Boolean" => Self::Flag,
            "ApiError" => Self::ApiError,
            name => match first_values.get(name) {
                Some(first) => Self::Enum(first.clone()),
                None => Self::Object,
            },
        }
    }

    fn read<'a>(&self, member: Option<&'a Json>) -> Option<FieldValue<'a>> {
        Some(FieldValue::value(match self {
            Self::Text => Value::from(member.and_then(Json::as_str).unwrap_or_default()),
            Self::Long => Value::from(match member {
                Some(Json::String(text)) => text.clone(),
                Some(number) => number.to_string(),
                None => "0".to_owned(),
            }),
            Self::Integer => Value::from(member.and_then(Json::as_i64).unwrap_or_default()),
            // NaN and the infinities are texts in JSON, and nothing in GraphQL.
            Self::Number => Value::from(match member {
                Some(number) => Some(number.as_f64()?),
                None => Some(0.0),
            }),
            Self::Flag => Value::from(member.and_then(Json::as_bool).unwrap_or_default()),
            Self::Enum(first) => {
                Value::from(member.and_then(Json::as_str).unwrap_or(first.as_str()))
            }
            Self::Object => return Some(FieldValue::borrowed_any(member.unwrap_or(&Json::Null))),
            Self::ApiError => return None,
            Self::List(item) => {
                let items = member
                    .and_then(Json::as_array)
                    .map_or(&[][..], Vec::as_slice);
                let values = items.iter().map(|value| {
                    item.read(Some(value))
                        .unwrap_or_else(|| FieldValue::value(Value::Null))
                });
                return Some(FieldValue::list(values));
            }
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_is_whole() {
        build().unwrap();
    }

    #[test]
    fn names_of_members() {
        for (name, member) in [
            ("runId", "run_id"),
            ("lastUpdatedTimestamp", "last_updated_timestamp"),
            ("key", "key"),
        ] {
            assert_eq!(snake_case(name), member);
        }
    }
}
