//! The signature of a delivery, in MLflow's form of Standard Webhooks.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use ring::hmac;

/// `v1,` and the HMAC-SHA256 of `<delivery id>.<seconds since the epoch>.<body>`.
pub(super) fn signature(secret: &str, delivery_id: &str, seconds: u64, body: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let signed = format!("{delivery_id}.{seconds}.{body}");
    let tag = hmac::sign(&key, signed.as_bytes());
    format!("v1,{}", BASE64_STANDARD.encode(tag))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What MLflow 3.17.2 sent to a receiver for a webhook with this secret.
    #[test]
    fn a_signature_is_mlflows() {
        let body = r#"{"entity": "prompt_tag", "action": "set", "timestamp": "2026-11-27T07:59:16.366802+00:00", "data": {"name": "p2", "key": "mlflow.prompt.is_prompt", "value": "True"}}"#;
        let id = "a4b8e04c-7bf7-4135-bf13-867fa49d5fe1";
        assert_eq!(
            signature("topsecret", id, 1_795_766_356, body),
            "v1,vHKbbPh986sEqcKzw/5S4cNKeafMIgzqRSanuyBdzcM="
        );
    }
}
