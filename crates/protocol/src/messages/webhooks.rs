//! Webhooks: `webhooks`, `webhooks/{webhook_id}` and `webhooks/{webhook_id}/test`.

use std::fmt;

use runledger_entities::{
    InvalidWebhook, Webhook, WebhookAction, WebhookEntity, WebhookEvent, WebhookStatus, limits,
};

use super::{Request, most};
use crate::{
    Input, RequestError,
    json::{
        decode::decode,
        field::List,
        message::messages,
        write::{self, Object},
    },
};

messages! {
    /// `webhooks`
    CreateBody {
        name: String,
        description: String,
        url: String,
        events: List<EventBody, { most::WEBHOOK_EVENTS }>,
        secret: String,
        status: WebhookStatus,
    }
    /// `webhooks`
    ListBody {
        max_results: i64,
        page_token: String,
    }
    /// `webhooks/{webhook_id}/test`
    TestBody {
        event: EventBody,
    }
    /// An event.
    EventBody {
        entity: WebhookEntity,
        action: WebhookAction,
    }
}

impl EventBody {
    /// The event of the parameter `at`.
    fn read(self, at: impl fmt::Display) -> Result<WebhookEvent, RequestError> {
        let unknown = |name: &str, choices: Vec<&'static str>| {
            let parameter = format!("{at}.{name}");
            refused(InvalidWebhook::Unknown { parameter, choices })
        };
        let entity = self.entity.optional(format_args!("{at}.entity"))?;
        let entity = entity.ok_or_else(|| {
            let all = WebhookEntity::ALL.iter();
            unknown("entity", all.map(|one| one.wire_name()).collect())
        })?;
        let action = self.action.optional(format_args!("{at}.action"))?;
        let action = action.ok_or_else(|| {
            let all = WebhookAction::ALL.iter();
            unknown("action", all.map(|one| one.wire_name()).collect())
        })?;
        WebhookEvent::new(entity, action).map_err(refused)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it maps errors")]
fn refused(error: InvalidWebhook) -> RequestError {
    RequestError::rule(error.to_string())
}

/// The events of a list, in its order.
fn events(bodies: Vec<EventBody>) -> Result<Vec<WebhookEvent>, RequestError> {
    let bodies = bodies.into_iter().enumerate();
    bodies
        .map(|(number, body)| body.read(format_args!("events[{number}]")))
        .collect()
}

/// Asks for a new webhook.
#[derive(Clone, PartialEq, Eq)]
pub struct CreateWebhook {
    /// The name, not empty.
    pub name: String,
    /// Free text.
    pub description: Option<String>,
    /// Where deliveries go, not empty.
    pub url: String,
    /// What it is told of, as the client wrote it; it may be empty.
    pub events: Vec<WebhookEvent>,
    /// What is signed with, not empty.
    pub secret: Option<String>,
    /// Whether it is told of anything.
    pub status: WebhookStatus,
}

impl fmt::Debug for CreateWebhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreateWebhook")
            .field("name", &self.name)
            .field("events", &self.events)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

impl Request for CreateWebhook {
    fn decode(input: Input<'_>) -> Result<Self, RequestError> {
        let body: CreateBody = decode(input)?;
        let name = body.name.required_text("name")?;
        let url = body.url.required_text("url")?;
        let listed = body.events.required_all("events")?;
        let description = body.description.non_empty("description")?;
        let secret = body.secret.non_empty("secret")?;
        let status = body.status.or_default("status")?;
        Ok(Self {
            name,
            description,
            url,
            events: events(listed)?,
            secret,
            status,
        })
    }
}

/// Asks for a page of webhooks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListWebhooks {
    /// Results per page; within MLflow's limit.
    pub max_results: u32,
    /// The page.
    pub page_token: Option<String>,
}

impl Request for ListWebhooks {
    fn decode(input: Input<'_>) -> Result<Self, RequestError> {
        let body: ListBody = decode(input)?;
        let page_token = body.page_token.non_empty("page_token");
        let asked = body.max_results.optional("max_results")?;
        // None and 0 are MLflow's default.
        let asked = asked.filter(|asked| *asked != 0);
        let default = limits::WEBHOOKS_DEFAULT_RESULTS;
        let max_results = u32::try_from(asked.unwrap_or(default.into())).unwrap_or(u32::MAX);
        if max_results > limits::WEBHOOKS_MAX_RESULTS {
            return Err(RequestError::rule(
                "max_results must be between 1 and 1000.",
            ));
        }
        Ok(Self {
            max_results,
            page_token: page_token?,
        })
    }
}

/// Changes a webhook: what is absent stays.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct UpdateWebhook {
    /// The new name, not empty.
    pub name: Option<String>,
    /// The new description.
    pub description: Option<String>,
    /// The new URL, not empty.
    pub url: Option<String>,
    /// What it is told of from now on, not empty.
    pub events: Option<Vec<WebhookEvent>>,
    /// The new secret; an empty one takes it away.
    pub secret: Option<String>,
    /// Whether it is told of anything.
    pub status: Option<WebhookStatus>,
}

impl fmt::Debug for UpdateWebhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpdateWebhook")
            .field("name", &self.name)
            .field("events", &self.events)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

impl Request for UpdateWebhook {
    fn decode(input: Input<'_>) -> Result<Self, RequestError> {
        let body: CreateBody = decode(input)?;
        let name = body.name.non_empty("name")?;
        let description = body.description.optional("description")?;
        let url = body.url.non_empty("url")?;
        let listed = body.events.all("events")?;
        let secret = body.secret.optional("secret")?;
        let status = body.status.optional("status")?;
        let events = events(listed)?;
        Ok(Self {
            name,
            description,
            url,
            events: Some(events).filter(|events| !events.is_empty()),
            secret,
            status,
        })
    }
}

/// Asks for a delivery of an example.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestWebhook {
    /// Of which event; the first that the webhook is told of if absent.
    pub event: Option<WebhookEvent>,
}

impl Request for TestWebhook {
    fn decode(input: Input<'_>) -> Result<Self, RequestError> {
        let body: TestBody = decode(input)?;
        let event = body.event.optional("event")?;
        let event = event.map(|event| event.read("event")).transpose()?;
        Ok(Self { event })
    }
}

/// What came of a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestResult {
    /// Whether the receiver took it.
    pub success: bool,
    /// The receiver's status and the beginning of its body, if it answered.
    pub response: Option<(u16, String)>,
    /// What went wrong, if anything else did.
    pub error_message: Option<String>,
}

/// The answer to creating, getting and changing a webhook.
pub fn one(webhook: &Webhook) -> Vec<u8> {
    write::object(|o| o.object("webhook", |o| write_webhook(o, webhook)))
}

/// The answer to listing webhooks.
pub fn page(webhooks: &[Webhook], next_page_token: Option<&str>) -> Vec<u8> {
    write::object(|o| {
        o.list("webhooks", webhooks, write_webhook);
        o.maybe_text("next_page_token", next_page_token);
    })
}

/// The answer to a test.
pub fn tested(result: &TestResult) -> Vec<u8> {
    write::object(|o| {
        o.object("result", |o| {
            o.flag("success", result.success);
            if let Some((status, body)) = &result.response {
                o.int("response_status", (*status).into());
                o.text("response_body", body);
            }
            o.maybe_text("error_message", result.error_message.as_deref());
        });
    })
}

fn write_webhook(o: &mut Object<'_>, webhook: &Webhook) {
    o.text("webhook_id", webhook.webhook_id.as_str());
    o.text("name", &webhook.name);
    let description = webhook.description.as_deref();
    o.maybe_text("description", description.filter(|text| !text.is_empty()));
    o.text("url", &webhook.url);
    o.list("events", &webhook.events, |o, event| {
        o.text("entity", event.entity().wire_name());
        o.text("action", event.action().wire_name());
    });
    o.text("status", webhook.status.name());
    o.int("creation_timestamp", webhook.creation_timestamp);
    o.int("last_updated_timestamp", webhook.last_updated_timestamp);
}

#[cfg(test)]
mod tests {
    use runledger_entities::WebhookId;

    use super::*;

    fn created(body: &str) -> Result<CreateWebhook, RequestError> {
        CreateWebhook::decode(Input::Body(body.as_bytes()))
    }

    fn with_event(event: &str) -> Result<CreateWebhook, RequestError> {
        created(&format!(
            r#"{{"name": "w", "url": "https://h", "events": [{event}]}}"#
        ))
    }

    #[test]
    fn an_event_is_a_thing_and_what_happened_to_it() {
        for event in [
            r#"{"entity": "PROMPT_TAG", "action": "SET"}"#,
            r#"{"entity": 7, "action": 4}"#,
        ] {
            let events = with_event(event).unwrap().events;
            assert_eq!(events[0].to_string(), "prompt_tag.set");
        }
        let refusal = |event| with_event(event).unwrap_err().to_string();
        assert_eq!(
            refusal(r#"{"entity": "PROMPT", "action": "SET"}"#),
            "Invalid action 'set' for entity 'prompt'. Valid actions are: ['created']"
        );
        let unknown = refusal(r#"{"entity": "prompt", "action": "CREATED"}"#);
        assert!(
            unknown.starts_with("Invalid webhook event: 'events[0].entity' must be one of REGI"),
            "{unknown}"
        );
        assert!(refusal("{}").contains("events[0].entity"));
        assert!(refusal(r#"{"entity": 1}"#).contains("events[0].action"));
        assert!(refusal("\"x\"").contains("events[0]"));
    }

    #[test]
    fn what_is_needed_must_be_there() {
        for (body, missing) in [
            ("{}", "name"),
            (r#"{"name": ""}"#, "name"),
            (r#"{"name": "w"}"#, "url"),
            (r#"{"name": "w", "url": "u"}"#, "events"),
        ] {
            let refusal = created(body).unwrap_err().to_string();
            assert!(
                refusal.contains(&format!("parameter '{missing}'")),
                "{refusal}"
            );
        }
        let empty = created(r#"{"name": "w", "url": "u", "events": []}"#).unwrap();
        assert!(empty.events.is_empty(), "the validation says so");
        assert_eq!(empty.status, WebhookStatus::Active);
    }

    #[test]
    fn what_is_empty_stays_in_a_change() {
        let body = br#"{"name": "", "url": "", "events": [], "description": "", "secret": "",
            "status": "BOGUS"}"#;
        let update = UpdateWebhook::decode(Input::Body(body)).unwrap();
        let expected = UpdateWebhook {
            description: Some(String::new()),
            secret: Some(String::new()),
            ..UpdateWebhook::default()
        };
        assert_eq!(update, expected);
    }

    #[test]
    fn a_page_is_bounded() {
        let read = |query| ListWebhooks::decode(Input::Query(query));
        for (query, max_results) in [
            ("page_token=", 100),
            ("max_results=0", 100),
            ("max_results=1000", 1000),
        ] {
            assert_eq!(read(query).unwrap().max_results, max_results);
        }
        for query in ["max_results=-1", "max_results=1001"] {
            let refusal = read(query).unwrap_err().to_string();
            assert_eq!(refusal, "max_results must be between 1 and 1000.");
        }
    }

    #[test]
    fn answers_are_mlflows() {
        let event = WebhookEvent::new(WebhookEntity::Prompt, WebhookAction::Created);
        let webhook = Webhook {
            webhook_id: WebhookId::new("i"),
            name: "n".to_owned(),
            description: Some(String::new()),
            url: "https://h/".to_owned(),
            events: vec![event.unwrap()],
            status: WebhookStatus::Disabled,
            creation_timestamp: 1,
            last_updated_timestamp: 2,
        };
        assert_eq!(
            String::from_utf8(one(&webhook)).unwrap(),
            r#"{"webhook":{"webhook_id":"i","name":"n","url":"https://h/","events":[{"entity":"PROMPT","action":"CREATED"}],"status":"DISABLED","creation_timestamp":1,"last_updated_timestamp":2}}"#
        );
        let result = TestResult {
            success: true,
            response: Some((204, String::new())),
            error_message: None,
        };
        assert_eq!(
            String::from_utf8(tested(&result)).unwrap(),
            r#"{"result":{"success":true,"response_status":204,"response_body":""}}"#
        );
    }

    #[test]
    fn secrets_are_not_printed() {
        let body =
            r#"{"name": "w", "url": "https://u:hidden@h", "events": [], "secret": "hidden"}"#;
        assert!(!format!("{:?}", created(body).unwrap()).contains("hidden"));
    }
}
