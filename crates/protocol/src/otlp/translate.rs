//! What other dialects call a span's kind, inputs, outputs, tokens and model, in
//! MLflow's words.
//!
//! The dialects are asked in MLflow's order, and what a span says in MLflow's own
//! words is never written over. Of MLflow's dialects those of Gemini CLI, Claude
//! Code, Spring AI, `VoltAgent` and `LiveKit` are not here, nor are chats of
//! Vercel's SDK taken apart; costs are not computed from prices.

use serde_json::Value;

use super::{
    attributes::{Attributes, is_something, parsed},
    value::ascii,
};

/// Attributes of MLflow.
pub(super) mod keys {
    pub(in crate::otlp) const TYPE: &str = "mlflow.spanType";
    pub(in crate::otlp) const INPUTS: &str = "mlflow.spanInputs";
    pub(in crate::otlp) const OUTPUTS: &str = "mlflow.spanOutputs";
    pub(in crate::otlp) const USAGE: &str = "mlflow.chat.tokenUsage";
    pub(in crate::otlp) const COST: &str = "mlflow.llm.cost";
    pub(in crate::otlp) const MODEL: &str = "mlflow.llm.model";
    pub(in crate::otlp) const PROVIDER: &str = "mlflow.llm.provider";
    pub(in crate::otlp) const FORMAT: &str = "mlflow.message.format";
    pub(in crate::otlp) const TOOLS: &str = "mlflow.chat.tools";
}

/// A dialect: the attributes in which it says things.
#[derive(Clone, Copy)]
struct Dialect {
    /// The kind of a span, and what its values are to MLflow.
    kind: &'static str,
    kinds: &'static [(&'static str, &'static str)],
    inputs: &'static [Key],
    outputs: &'static [Key],
    input_tokens: &'static str,
    output_tokens: &'static str,
    total_tokens: &'static str,
    cache_read: &'static str,
    cache_write: &'static [&'static str],
    models: &'static [&'static str],
    provider: &'static str,
    tools: &'static str,
    format: Option<&'static str>,
}

/// The name of an attribute.
#[derive(Clone, Copy)]
enum Key {
    Is(&'static str),
    /// Any that begins with these parts, with a number between each two.
    Numbered(&'static [&'static str]),
}

impl Key {
    fn value(self, attributes: &Attributes) -> Option<&str> {
        match self {
            Self::Is(key) => attributes.something(key),
            Self::Numbered(parts) => attributes
                .iter()
                .filter(|(key, _)| begins_with(key, parts))
                .map(|(_, json)| json)
                .find(|json| is_something(json)),
        }
    }
}

fn begins_with(key: &str, parts: &[&str]) -> bool {
    let mut rest = key;
    for (place, part) in parts.iter().enumerate() {
        if place > 0 {
            let number = rest.trim_start_matches(|c: char| c.is_ascii_digit());
            if number.len() == rest.len() {
                return false;
            }
            rest = number;
        }
        match rest.strip_prefix(part) {
            Some(after) => rest = after,
            None => return false,
        }
    }
    true
}

const NONE: Dialect = Dialect {
    kind: "",
    kinds: &[],
    inputs: &[],
    outputs: &[],
    input_tokens: "",
    output_tokens: "",
    total_tokens: "",
    cache_read: "",
    cache_write: &[],
    models: &[],
    provider: "",
    tools: "",
    format: None,
};

/// The dialects, in the order in which they are asked.
static DIALECTS: [Dialect; 7] = [
    OPEN_INFERENCE,
    GEN_AI,
    TRACELOOP,
    GOOGLE_ADK,
    VERCEL_AI,
    LAMINAR,
    LANGFUSE,
];

/// <https://github.com/Arize-ai/openinference>
const OPEN_INFERENCE: Dialect = Dialect {
    kind: "openinference.span.kind",
    kinds: &[
        ("TOOL", "TOOL"),
        ("CHAIN", "CHAIN"),
        ("LLM", "LLM"),
        ("RETRIEVER", "RETRIEVER"),
        ("EMBEDDING", "EMBEDDING"),
        ("AGENT", "AGENT"),
        ("RERANKER", "RERANKER"),
        ("UNKNOWN", "UNKNOWN"),
        ("GUARDRAIL", "GUARDRAIL"),
        ("EVALUATOR", "EVALUATOR"),
    ],
    inputs: &[Key::Is("input.value")],
    outputs: &[Key::Is("output.value")],
    input_tokens: "llm.token_count.prompt",
    output_tokens: "llm.token_count.completion",
    total_tokens: "llm.token_count.total",
    cache_read: "llm.token_count.prompt_details.cache_read",
    cache_write: &["llm.token_count.prompt_details.cache_write"],
    models: &[
        "llm.response.model_name",
        "llm.model_name",
        "llm.request.model_name",
        "embedding.model_name",
    ],
    provider: "llm.provider",
    ..NONE
};

/// The semantic conventions of OpenTelemetry for generative models.
const GEN_AI: Dialect = Dialect {
    kind: "gen_ai.operation.name",
    kinds: &[
        ("chat", "CHAT_MODEL"),
        ("create_agent", "AGENT"),
        ("embeddings", "EMBEDDING"),
        ("execute_tool", "TOOL"),
        ("generate_content", "LLM"),
        ("invoke_agent", "AGENT"),
        ("text_completion", "LLM"),
        ("response", "LLM"),
    ],
    inputs: &[
        Key::Is("gen_ai.input.messages"),
        Key::Is("gen_ai.tool.call.arguments"),
    ],
    outputs: &[
        Key::Is("gen_ai.output.messages"),
        Key::Is("gen_ai.tool.call.result"),
    ],
    input_tokens: "gen_ai.usage.input_tokens",
    output_tokens: "gen_ai.usage.output_tokens",
    cache_read: "gen_ai.usage.cache_read.input_tokens",
    cache_write: &[
        "gen_ai.usage.cache_write.input_tokens",
        "gen_ai.usage.cache_creation.input_tokens",
    ],
    models: &["gen_ai.response.model", "gen_ai.request.model"],
    provider: "gen_ai.provider.name",
    tools: "gen_ai.tool.definitions",
    ..NONE
};

/// Traceloop, that is `OpenLLMetry`: <https://github.com/traceloop/openllmetry>
const TRACELOOP: Dialect = Dialect {
    kind: "traceloop.span.kind",
    kinds: &[
        ("workflow", "WORKFLOW"),
        ("task", "TASK"),
        ("agent", "AGENT"),
        ("tool", "TOOL"),
        ("unknown", "UNKNOWN"),
    ],
    inputs: &[
        Key::Is("traceloop.entity.input"),
        Key::Numbered(&["gen_ai.prompt.", ".content"]),
        Key::Numbered(&["gen_ai.completion.", ".tool_calls.", ".arguments"]),
    ],
    outputs: &[
        Key::Is("traceloop.entity.output"),
        Key::Numbered(&["gen_ai.completion.", ".content"]),
    ],
    input_tokens: "gen_ai.usage.prompt_tokens",
    output_tokens: "gen_ai.usage.completion_tokens",
    total_tokens: "llm.usage.total_tokens",
    provider: "gen_ai.system",
    ..NONE
};

/// Google's Agent Development Kit, where it differs from [`GEN_AI`].
const GOOGLE_ADK: Dialect = Dialect {
    inputs: &[
        Key::Is("gcp.vertex.agent.llm_request"),
        Key::Is("gcp.vertex.agent.tool_call_args"),
    ],
    outputs: &[
        Key::Is("gcp.vertex.agent.llm_response"),
        Key::Is("gcp.vertex.agent.tool_response"),
    ],
    ..NONE
};

/// Vercel's AI SDK.
const VERCEL_AI: Dialect = Dialect {
    kind: "ai.operationId",
    kinds: &[
        ("ai.generateText", "LLM"),
        ("ai.generateText.doGenerate", "LLM"),
        ("ai.toolCall", "TOOL"),
        ("ai.streamText", "LLM"),
        ("ai.streamText.doStream", "LLM"),
        ("ai.generateObject", "LLM"),
        ("ai.generateObject.doGenerate", "LLM"),
        ("ai.streamObject", "LLM"),
        ("ai.streamObject.doStream", "LLM"),
        ("ai.embed", "EMBEDDING"),
        ("ai.embed.doEmbed", "EMBEDDING"),
        ("ai.embedMany", "EMBEDDING"),
    ],
    inputs: &[
        Key::Is("ai.prompt"),
        Key::Is("ai.toolCall.args"),
        Key::Is("ai.value"),
        Key::Is("ai.values"),
    ],
    outputs: &[
        Key::Is("ai.response.text"),
        Key::Is("ai.toolCall.result"),
        Key::Is("ai.response.object"),
        Key::Is("ai.embedding"),
        Key::Is("ai.embeddings"),
    ],
    ..NONE
};

/// Laminar, whose tokens are those of [`GEN_AI`].
const LAMINAR: Dialect = Dialect {
    kind: "lmnr.span.type",
    kinds: &[
        ("LLM", "LLM"),
        ("TOOL", "TOOL"),
        ("DEFAULT", "CHAIN"),
        ("PIPELINE", "CHAIN"),
        ("EXECUTOR", "AGENT"),
        ("EVALUATOR", "EVALUATOR"),
        ("HUMAN_EVALUATOR", "EVALUATOR"),
        ("EVALUATION", "EVALUATOR"),
        ("CACHED", "LLM"),
    ],
    inputs: &[Key::Is("lmnr.span.input")],
    outputs: &[Key::Is("lmnr.span.output")],
    provider: "gen_ai.system",
    format: Some("openai"),
    ..NONE
};

/// Langfuse.
const LANGFUSE: Dialect = Dialect {
    kind: "langfuse.observation.type",
    kinds: &[
        ("generation", "LLM"),
        ("embedding", "EMBEDDING"),
        ("tool", "TOOL"),
        ("retriever", "RETRIEVER"),
        ("agent", "AGENT"),
        ("chain", "CHAIN"),
        ("evaluator", "EVALUATOR"),
        ("guardrail", "GUARDRAIL"),
        ("span", "UNKNOWN"),
    ],
    inputs: &[Key::Is("langfuse.observation.input")],
    outputs: &[Key::Is("langfuse.observation.output")],
    ..NONE
};

/// Adds to the attributes of a span what they say in other dialects.
pub(super) fn translate(attributes: &mut Attributes) {
    if let Some(kind) = first(|dialect| kind(dialect, attributes)) {
        let known = attributes.text(keys::TYPE);
        if known.is_none_or(|known| known == "UNKNOWN" || known == "null") {
            attributes.set(keys::TYPE, ascii(kind));
        }
    }
    let found = |list: fn(&Dialect) -> &'static [Key], attributes: &Attributes| {
        first(|dialect| list(dialect).iter().find_map(|key| key.value(attributes)))
            .map(str::to_owned)
    };
    if !attributes.has(keys::INPUTS)
        && let Some(inputs) = found(|dialect| dialect.inputs, attributes)
    {
        attributes.set(keys::INPUTS, inputs);
    }
    if !attributes.has(keys::OUTPUTS)
        && let Some(outputs) = found(|dialect| dialect.outputs, attributes)
    {
        attributes.set(keys::OUTPUTS, outputs);
    }
    if !attributes.has(keys::USAGE)
        && let Some(usage) = first(|dialect| usage(dialect, attributes))
    {
        attributes.set(keys::USAGE, usage);
    }
    if !attributes.has(keys::FORMAT) {
        let format = first(|dialect| {
            let format = dialect.format?;
            attributes.has(dialect.kind).then_some(format)
        });
        if let Some(format) = format {
            attributes.set(keys::FORMAT, ascii(format));
        }
    }
    if !attributes.has(keys::TOOLS)
        && let Some(tools) = first(|dialect| attributes.something(dialect.tools))
    {
        attributes.set(keys::TOOLS, tools.to_owned());
    }
    if !attributes.has(keys::MODEL)
        && let Some(model) = model(attributes)
    {
        attributes.set(keys::MODEL, model);
    }
    if !attributes.has(keys::PROVIDER)
        && let Some(provider) = first(|dialect| attributes.something(dialect.provider))
    {
        attributes.set(keys::PROVIDER, as_json(provider));
    }
}

/// The first dialect's answer.
fn first<'a, T>(answer: impl Fn(&'a Dialect) -> Option<T>) -> Option<T> {
    DIALECTS.iter().find_map(answer)
}

fn kind(dialect: &Dialect, attributes: &Attributes) -> Option<&'static str> {
    let kind = attributes.text(dialect.kind)?;
    let mut kinds = dialect.kinds.iter();
    kinds.find(|(name, _)| *name == kind).map(|(_, kind)| *kind)
}

/// The tokens, as JSON.
fn usage(dialect: &Dialect, attributes: &Attributes) -> Option<String> {
    let count = |key: &str| attributes.get(key).and_then(integer);
    let (input, output) = (count(dialect.input_tokens), count(dialect.output_tokens));
    let total = count(dialect.total_tokens).or_else(|| input?.checked_add(output?));
    if (input, output, total) == (None, None, None) {
        return None;
    }
    let cache_write = dialect.cache_write.iter().find_map(|key| count(key));
    let members = [
        ("input_tokens", input),
        ("output_tokens", output),
        ("total_tokens", total),
        ("cache_read_input_tokens", count(dialect.cache_read)),
        ("cache_creation_input_tokens", cache_write),
    ];
    let members: Vec<String> = members
        .into_iter()
        .filter_map(|(name, count)| Some(format!("\"{name}\": {}", count?)))
        .collect();
    Some(format!("{{{}}}", members.join(", ")))
}

/// A whole number, or a text of one.
fn integer(json: &str) -> Option<i64> {
    match serde_json::from_str(json) {
        Ok(Value::Number(number)) => number.as_i64(),
        Ok(Value::String(text)) => text.trim().parse().ok(),
        _ => json.trim().parse().ok(),
    }
}

/// The name of the model, as JSON: what a dialect says, or else the inputs or the
/// outputs.
fn model(attributes: &Attributes) -> Option<String> {
    let named = first(|dialect| {
        let mut models = dialect.models.iter();
        models.find_map(|key| attributes.something(key))
    });
    if let Some(model) = named {
        return Some(as_json(model));
    }
    [keys::INPUTS, keys::OUTPUTS].into_iter().find_map(|key| {
        // Most inputs name no model, and are not parsed to find that out.
        let json = attributes
            .get(key)
            .filter(|json| json.contains("\"model\""))?;
        let value = parsed(json)?;
        let model = value.get("model")?.as_str()?;
        (!model.is_empty()).then(|| ascii(model))
    })
}

/// What is no JSON is a text.
fn as_json(value: &str) -> String {
    match serde_json::from_str::<serde::de::IgnoredAny>(value) {
        Ok(_) => value.to_owned(),
        Err(_) => ascii(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn translated(pairs: &[(&str, &str)]) -> Attributes {
        let mut attributes = Attributes::default();
        for (key, value) in pairs {
            attributes.push(key, (*value).to_owned());
        }
        translate(&mut attributes);
        attributes
    }

    #[test]
    fn the_words_of_opentelemetry_are_understood() {
        let attributes = translated(&[
            ("gen_ai.operation.name", "\"chat\""),
            ("gen_ai.input.messages", "[{\"role\": \"user\"}]"),
            ("gen_ai.output.messages", "[1]"),
            ("gen_ai.usage.input_tokens", "3"),
            ("gen_ai.usage.output_tokens", "\"4\""),
            ("gen_ai.request.model", "\"m\""),
            ("gen_ai.provider.name", "\"p\""),
        ]);
        for (key, value) in [
            (keys::TYPE, "\"CHAT_MODEL\""),
            (keys::INPUTS, "[{\"role\": \"user\"}]"),
            (keys::OUTPUTS, "[1]"),
            (
                keys::USAGE,
                "{\"input_tokens\": 3, \"output_tokens\": 4, \"total_tokens\": 7}",
            ),
            (keys::MODEL, "\"m\""),
            (keys::PROVIDER, "\"p\""),
        ] {
            assert_eq!(attributes.get(key), Some(value), "{key}");
        }
    }

    #[test]
    fn the_words_of_openinference_and_traceloop_are_understood() {
        let attributes = translated(&[
            ("openinference.span.kind", "\"LLM\""),
            ("input.value", "\"hi\""),
            ("llm.token_count.total", "9"),
        ]);
        assert_eq!(attributes.get(keys::TYPE), Some("\"LLM\""));
        assert_eq!(attributes.get(keys::INPUTS), Some("\"hi\""));
        assert_eq!(attributes.get(keys::USAGE), Some("{\"total_tokens\": 9}"));
        let attributes = translated(&[
            ("traceloop.span.kind", "\"workflow\""),
            ("gen_ai.prompt.0.content", "\"q\""),
            ("gen_ai.completion.12.content", "\"a\""),
        ]);
        assert_eq!(attributes.get(keys::TYPE), Some("\"WORKFLOW\""));
        assert_eq!(attributes.get(keys::INPUTS), Some("\"q\""));
        assert_eq!(attributes.get(keys::OUTPUTS), Some("\"a\""));
    }

    #[test]
    fn the_words_of_mlflow_stay() {
        let attributes = translated(&[
            (keys::TYPE, "\"TOOL\""),
            (keys::INPUTS, "null"),
            ("openinference.span.kind", "\"LLM\""),
            ("input.value", "\"hi\""),
        ]);
        assert_eq!(attributes.get(keys::TYPE), Some("\"TOOL\""));
        assert_eq!(attributes.get(keys::INPUTS), Some("null"));
        let unknown = translated(&[
            (keys::TYPE, "\"UNKNOWN\""),
            ("openinference.span.kind", "\"LLM\""),
        ]);
        assert_eq!(unknown.get(keys::TYPE), Some("\"LLM\""));
    }
}
