"""What the cold start is compared with: a handler as the SDK's sample code suggests it."""

import json
import os

from alibabacloud_ecs20140526.client import Client
from alibabacloud_ecs20140526.models import StopInstanceRequest
from alibabacloud_tea_openapi.models import Config
from darabonba.runtime import RuntimeOptions


def handler(event: bytes, _context: object) -> str:
    """Stop the instance that the event names."""
    scheme, _, endpoint = os.environ["ECS_ENDPOINT"].partition("://")
    config = Config(
        access_key_id=os.environ["ALIBABA_CLOUD_ACCESS_KEY_ID"],
        access_key_secret=os.environ["ALIBABA_CLOUD_ACCESS_KEY_SECRET"],
        security_token=os.environ["ALIBABA_CLOUD_SECURITY_TOKEN"],
        endpoint=endpoint,
        protocol=scheme.upper(),
    )
    request = StopInstanceRequest(instance_id=json.loads(event)["InstanceId"], force_stop=False)
    answer = Client(config).stop_instance_with_options(request, RuntimeOptions())
    return str(answer.body.request_id)
