"""What a fleet's run is compared with: a loop over the official SDK, one instance after the other."""

import json
import os
import sys

from alibabacloud_ecs20140526 import models
from alibabacloud_ecs20140526.client import Client
from alibabacloud_tea_openapi.models import Config


def main(instance_ids: list[str]) -> None:
    """Describe each, ask for its type, and stop it."""
    client = Client(
        Config(
            access_key_id=os.environ["ALIBABA_CLOUD_ACCESS_KEY_ID"],
            access_key_secret=os.environ["ALIBABA_CLOUD_ACCESS_KEY_SECRET"],
            endpoint=os.environ["ECS_ENDPOINT"].removeprefix("http://"),
            protocol="HTTP",
        )
    )
    for instance_id in instance_ids:
        described = client.describe_instances(
            models.DescribeInstancesRequest(region_id="cn-hangzhou", instance_ids=json.dumps([instance_id]))
        )
        (instance,) = described.body.instances.instance
        client.describe_instance_types(
            models.DescribeInstanceTypesRequest(instance_types=[instance.instance_type])
        )
        client.stop_instance(models.StopInstanceRequest(instance_id=instance_id))


if __name__ == "__main__":
    main(json.load(sys.stdin))
