//! The beginning of a request or a response, for lists of traces.

use runledger_entities::limits;
use serde_json::Value;

use super::attributes::parsed;

/// The preview of inputs or outputs: the last message of this role, where they
/// are those of a chat, else the JSON; cut to the limit.
pub(super) fn preview(json: &str, role: &str) -> String {
    let text = parsed(json)
        .and_then(|value| last_message(&value, role))
        .filter(|text| !text.is_empty());
    cut(text.as_deref().unwrap_or(json))
}

fn cut(text: &str) -> String {
    let limit = limits::TRACE_PREVIEW;
    if text.char_indices().nth(limit).is_none() {
        return text.to_owned();
    }
    let end = text.char_indices().nth(limit - 3);
    format!("{}...", &text[..end.map_or(text.len(), |(end, _)| end)])
}

/// The text of the last message of a role, or of the last one.
fn last_message(value: &Value, role: &str) -> Option<String> {
    let messages = messages(value)?;
    let of_role = |message: &&&Value| message.get("role").and_then(Value::as_str) == Some(role);
    let message = messages.iter().rev().find(of_role).or(messages.last())?;
    match message.get("content")? {
        Value::String(text) => Some(text.clone()),
        Value::Array(parts) => parts.iter().find_map(|part| match part {
            Value::String(text) => Some(text.clone()),
            part => {
                let kind = part.get("type")?.as_str()?;
                matches!(kind, "text" | "output_text")
                    .then(|| part.get("text")?.as_str().map(str::to_owned))?
            }
        }),
        _ => None,
    }
}

/// The messages of a chat, in the forms of `OpenAI`.
fn messages(value: &Value) -> Option<Vec<&Value>> {
    let is_message = |item: &&Value| item.get("role").is_some() && item.get("content").is_some();
    let listed = |key: &str| match value.get(key)? {
        Value::Array(items) if !items.is_empty() => {
            Some(items.iter().filter(is_message).collect::<Vec<_>>())
        }
        _ => None,
    };
    value.as_object()?;
    if let Some(messages) = listed("messages") {
        return Some(messages);
    }
    let choice = value.get("choices").and_then(|choices| choices.get(0));
    if let Some(message) = choice.and_then(|choice| choice.get("message"))
        && is_message(&message)
    {
        return Some(vec![message]);
    }
    listed("input")
        .or_else(|| listed("output"))
        .or_else(|| messages(value.get("request")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_chat_the_last_message_is_shown() {
        let chat = r#"{"messages": [{"role": "user", "content": "a"},
            {"role": "user", "content": [{"type": "text", "text": "b"}]},
            {"role": "assistant", "content": "c"}]}"#;
        assert_eq!(preview(chat, "user"), "b");
        assert_eq!(preview(chat, "system"), "c");
        let choices = r#"{"choices": [{"message": {"role": "assistant", "content": "d"}}]}"#;
        assert_eq!(preview(choices, "assistant"), "d");
        assert_eq!(
            preview(
                r#"{"request": {"input": [{"role": "user", "content": "e"}]}}"#,
                "user"
            ),
            "e"
        );
    }

    #[test]
    fn anything_else_is_shown_as_it_is_and_cut() {
        assert_eq!(preview("{\"q\": 1}", "user"), "{\"q\": 1}");
        assert_eq!(preview("not json", "user"), "not json");
        let long = preview(&"é".repeat(1001), "user");
        assert_eq!(long.chars().count(), 1000);
        assert!(long.ends_with("é..."));
    }
}
