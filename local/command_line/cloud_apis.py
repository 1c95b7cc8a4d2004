"""What `check --live` reads in the cloud beside ECS, each over what there is of it in the official SDK.

RAM and Simple Message Queue (its MNS-open API) sign as ECS does: the generic client can ask them. FC has a
client of its own. Log Service signs in its own way, which the generic client can't; its SDK would bring
a dozen packages more, three of them compiled, for one read: that request is signed here.
"""

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from email.utils import formatdate
from typing import Any
from urllib.parse import quote, urlsplit

from function.cloud import sdk
from function.cloud.fc import make_client
from function.cloud.sdk_errors import cloud_error
from function.model.credentials import Credentials, Redactor
from function.model.errors import ClientCode, CloudError, Meaning
from local.api.signatures import log_signature, log_string_to_sign
from local.command_line.ecs_calls import api_call

CALL_SECONDS = 5.0
RAM_ENDPOINT = "https://ram.aliyuncs.com"
"""RAM has one for all regions (help/en/ram/developer-reference/api-ram-2015-05-01-endpoint)."""

NOT_ACTIVATED = "NotActivated"
"""The code, made up here, where FC says so: its own is AccessDenied, as for a right that is missing."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows none: it would take the key's id and the session's token to whichever host it names."""

    def redirect_request(self, *_: object) -> None:
        """Answer with the redirect itself, which is an error here."""


class CloudApis:
    """The APIs of a region, asked with a person's key.

    `endpoint`: in place of the services' own, of all of them: a local cloud.
    """

    def __init__(self, credentials: Credentials, region_id: str, endpoint: str | None = None) -> None:
        self._credentials = credentials
        self._region_id = region_id
        self._endpoint = endpoint
        self._redact = Redactor(credentials.secrets())

    def ram(self, action: str, **parameters: str) -> dict[str, Any]:
        """Ask RAM. Raise CloudError."""
        return self._rpc(action, parameters, api=("ram", "2015-05-01"), endpoint=RAM_ENDPOINT)

    def queue(self, name: str) -> dict[str, Any]:
        """Ask for a queue's attributes. Raise CloudError."""
        own = f"https://mns-open.{self._region_id}.aliyuncs.com"
        wanted = {"QueueName": name}
        return self._rpc("GetQueueAttributes", wanted, api=("mns", "2022-01-19"), endpoint=own)

    def function(self, name: str) -> dict[str, Any]:
        """Ask FC for a function as it is deployed. Raise CloudError."""
        return self._fc(
            "GetFunction",
            lambda client, models, how: client.get_function_with_options(
                name, models.GetFunctionRequest(), {}, how
            ),
        )

    def async_invoke_config(self, name: str) -> dict[str, Any]:
        """Ask FC what it does with asynchronous events. Raise CloudError."""
        return self._fc(
            "GetAsyncInvokeConfig",
            lambda client, models, how: client.get_async_invoke_config_with_options(
                name, models.GetAsyncInvokeConfigRequest(qualifier="LATEST"), {}, how
            ),
        )

    def triggers(self, name: str) -> Iterator[dict[str, Any]]:
        """Ask FC for a function's triggers, page by page. Raise CloudError."""
        token: str | None = None
        while True:
            page = self._fc(
                "ListTriggers",
                lambda client, models, how, token=token: client.list_triggers_with_options(
                    name, models.ListTriggersRequest(limit=100, next_token=token), {}, how
                ),
            )
            yield from page.get("triggers") or ()
            token = page.get("nextToken")
            if not token:
                return

    def logstore(self, project: str, name: str) -> dict[str, Any]:
        """Ask Log Service for a logstore. Raise CloudError."""
        host = f"{project}.{self._region_id}.log.aliyuncs.com"
        path = f"/logstores/{quote(name, safe='')}"
        headers = {
            "date": formatdate(usegmt=True),
            "host": host,
            "x-log-apiversion": "0.6.0",
            "x-log-bodyrawsize": "0",
            "x-log-signaturemethod": "hmac-sha256",
        }
        if self._credentials.security_token:
            headers["x-acs-security-token"] = self._credentials.security_token
        text = log_string_to_sign("GET", path, headers)
        signature = log_signature(text, self._credentials.access_key_secret)
        headers["authorization"] = f"LOG {self._credentials.access_key_id}:{signature}"
        return self._get(f"{self._endpoint or f'https://{host}'}{path}", headers)

    def _rpc(
        self, action: str, parameters: dict[str, str], *, api: tuple[str, str], endpoint: str
    ) -> dict[str, Any]:
        send = api_call(
            action,
            parameters,
            api=api,
            region_id=self._region_id,
            credentials=self._credentials,
            endpoint=self._endpoint or endpoint,
        )
        return send(CALL_SECONDS)

    def _fc(self, action: str, ask: Callable[..., Any]) -> dict[str, Any]:
        try:
            from alibabacloud_fc20230330 import models  # noqa: PLC0415 - as in function.cloud.fc

            client = make_client(self._region_id, self._credentials, self._endpoint)
            answer = ask(client, models, sdk.runtime_options(CALL_SECONDS))
            return dict(answer.body.to_map())
        except Exception as error:  # noqa: BLE001 - whatever can't be read is a call without an answer
            data = getattr(error, "data", None)
            said = str(data.get("Message")) if isinstance(data, dict) else ""
            if "not enabled for current user" in said:
                raise CloudError(NOT_ACTIVATED, "Function Compute is not activated") from None
            raise cloud_error(f"fc:{action}", error, self._redact) from None

    def _get(self, url: str, headers: dict[str, str]) -> dict[str, Any]:
        """Make a request that is signed already, by the proxy and with the certificates of this machine."""
        request = urllib.request.Request(url, headers=headers)  # noqa: S310 - http(s), from here
        try:
            with urllib.request.build_opener(_NoRedirect).open(request, timeout=CALL_SECONDS) as answer:
                return dict(json.load(answer))
        except urllib.error.HTTPError as error:
            raise self._log_error(error) from None
        except (OSError, ValueError, TypeError) as error:
            host = urlsplit(url).netloc
            raise CloudError(
                ClientCode.NO_ANSWER, f"no usable answer came from {host} ({type(error).__name__})"
            ) from None

    def _log_error(self, error: urllib.error.HTTPError) -> CloudError:
        try:
            said = json.load(error)
            code, message = str(said["errorCode"]), str(said["errorMessage"])
        except (OSError, ValueError, KeyError, TypeError):
            code, message = f"HTTP {error.code}", "no more was said"
        return CloudError(
            self._redact.text(code)[:100], self._redact.text(message)[:300], http_status=error.code
        )


def denied(error: CloudError) -> bool:
    """Whether a person lacks the right to ask; Log Service has a code of its own for that."""
    return error.meaning is Meaning.DENIED or error.code == "Unauthorized"
