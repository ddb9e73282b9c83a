"""Webhooks, by MLflow's own client: made, found, changed and deleted. Nothing is sent: none is active."""

from __future__ import annotations

from mlflow.exceptions import MlflowException

from checks import equal
from session import Session

URL = "https://1.1.1.1/hook"


def run(session: Session) -> None:
    """Follows one webhook from its making to its end."""
    from mlflow.entities.webhook import WebhookStatus

    client = session.client
    try:
        client.list_webhooks(max_results=1)
    except MlflowException as refused:
        with session.check("a store of files says that it keeps no webhooks"):
            equal("database" in str(refused), True, str(refused))
        return
    with session.check("a webhook is made, and found as it was made"):
        made = client.create_webhook(
            name="conformance",
            url=URL,
            events=["model_version.created", "prompt_tag.set"],
            description="of a session",
            status="DISABLED",
        )
        equal((made.name, made.url, made.description), ("conformance", URL, "of a session"))
        equal(made.status, WebhookStatus.DISABLED, "status")
        equal([str(event) for event in made.events], ["model_version.created", "prompt_tag.set"])
        equal(repr(client.get_webhook(made.webhook_id)), repr(made), "shown")
    with session.check("it is in the list"):
        found, token = [], None
        while True:
            page = client.list_webhooks(max_results=2, page_token=token)
            found += [webhook.webhook_id for webhook in page]
            token = page.token
            if not token:
                break
        equal(found.count(made.webhook_id), 1, "times in the list")
    with session.check("it is changed"):
        changed = client.update_webhook(made.webhook_id, name="changed", events=["prompt.created"])
        equal((changed.name, changed.description), ("changed", "of a session"))
        equal([str(event) for event in changed.events], ["prompt.created"])
    with session.check("it is deleted, and then not found"):
        client.delete_webhook(made.webhook_id)
        try:
            client.get_webhook(made.webhook_id)
        except MlflowException as missing:
            equal(missing.error_code, "RESOURCE_DOES_NOT_EXIST")
        else:
            raise AssertionError("a deleted webhook was found")
