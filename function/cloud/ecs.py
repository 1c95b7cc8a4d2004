"""The adapter to ECS over the official SDK, whose types stay in here."""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from function.cloud import sdk
from function.cloud.sdk_errors import cloud_error, error_answer, request_id_of
from function.model.credentials import Credentials, Redactor
from function.model.errors import ClientCode, CloudError
from function.model.instance import Instance, LocalDisks
from function.model.ports import (
    DESCRIBE_INSTANCE_TYPES,
    DESCRIBE_INSTANCES,
    MAX_IDS,
    STOP_INSTANCE,
    STOP_INSTANCES,
    Ecs,
    Page,
    StopCall,
)
from function.model.request import Selection

_ACCEPTED = "200"
"""`Code` of an instance that StopInstances stops (the sample answer on its page)."""

Answer = TypeVar("Answer")


class _Request(Protocol):
    """One of the SDK's request models."""

    def to_map(self) -> dict[str, Any]: ...


class SdkEcs:
    """`Ecs` over the SDK's generic client and the ECS package's own request models.

    The SDK's retries stay off: they sleep on the machine's clock without regard to a deadline, know error
    codes only one by one, and would repeat a stop without a look in between.
    """

    def __init__(
        self, region_id: str, client: sdk.Client, credentials: Credentials, connections: int
    ) -> None:
        self._region_id = region_id
        self._client = client
        self._redact = Redactor(credentials.secrets())
        self._connections = connections

    def describe(self, instance_ids: Sequence[str], *, seconds: float) -> tuple[Instance, ...]:
        """See `Ecs.describe`. What was not asked for is not believed, nor that an answer in part is all."""
        request = sdk.DescribeInstancesRequest(
            region_id=self._region_id, instance_ids=json.dumps(list(instance_ids)), max_results=MAX_IDS
        )
        wanted = frozenset(instance_ids)
        answer = self._call(DESCRIBE_INSTANCES, request, seconds, _page)
        found = tuple(instance for instance in answer.instances if instance.instance_id in wanted)
        if answer.next_token and len(found) < len(wanted):
            raise CloudError(ClientCode.NO_ANSWER, f"ecs:{DESCRIBE_INSTANCES} was answered in part")
        return found

    def select(self, selection: Selection, next_token: str | None, *, seconds: float) -> Page:
        """See `Ecs.select`."""
        request = sdk.DescribeInstancesRequest(
            region_id=self._region_id,
            max_results=MAX_IDS,
            next_token=next_token,
            tag=[sdk.DescribeInstancesRequestTag(key=tag.key, value=tag.value) for tag in selection.tags]
            or None,
            resource_group_id=selection.resource_group_id,
            vpc_id=selection.vpc_id,
            zone_id=selection.zone_id,
            instance_name=selection.instance_name,
        )
        return self._call(DESCRIBE_INSTANCES, request, seconds, _page)

    def local_disks(self, instance_types: Sequence[str], *, seconds: float) -> Mapping[str, LocalDisks]:
        """See `Ecs.local_disks`."""
        request = sdk.DescribeInstanceTypesRequest(instance_types=list(instance_types))
        return self._call(DESCRIBE_INSTANCE_TYPES, request, seconds, _local_disks)

    def stop(self, call: StopCall, *, seconds: float) -> str:
        """See `Ecs.stop`. ConfirmStop is left out where it is not needed, the rest is always explicit."""
        request = sdk.StopInstanceRequest(
            instance_id=call.instance_id,
            stopped_mode=call.stopped_mode.value,
            force_stop=call.force_stop,
            dry_run=call.dry_run,
            confirm_stop=True if call.confirm_stop else None,
        )
        return self._call(STOP_INSTANCE, request, seconds, self._request_id)

    def stop_together(self, calls: Sequence[StopCall], *, seconds: float) -> Mapping[str, str | CloudError]:
        """See `Ecs.stop_together`.

        `SuccessFirst`, or one instance that can't be stopped would keep all the others running. With it a
        dry run passes whatever the instances' state (StopInstances' page), so there is none.
        """
        request = sdk.StopInstancesRequest(
            region_id=self._region_id,
            instance_id=[call.instance_id for call in calls],
            stopped_mode=calls[0].stopped_mode.value,
            force_stop=calls[0].force_stop,
            batch_optimization="SuccessFirst",
            dry_run=False,
        )
        return self._call(STOP_INSTANCES, request, seconds, self._each_answer)

    def _each_answer(self, body: Mapping[str, Any]) -> dict[str, str | CloudError]:
        request_id = self._request_id(body)
        answers = body["InstanceResponses"]["InstanceResponse"]
        times = Counter(one["InstanceId"] for one in answers)
        return {
            str(one["InstanceId"]): request_id
            if one["Code"] == _ACCEPTED
            else error_answer(
                f"ecs:{STOP_INSTANCES}", one["Code"], {**one, "RequestId": request_id}, self._redact
            )
            for one in answers
            if times[one["InstanceId"]] == 1  # of two answers about an instance neither is believed
        }

    def _request_id(self, body: Mapping[str, Any]) -> str:
        request_id = request_id_of(body, self._redact)
        if request_id is None:
            raise ValueError("an answer of ECS has a RequestId")
        return request_id

    def _call(self, action: str, request: _Request, seconds: float, read: Callable[[Any], Answer]) -> Answer:
        """Send one call and read its answer, or raise `CloudError`."""
        try:
            answer = self._client.call_api(
                sdk.Params(
                    action=action,
                    version="2014-05-26",
                    protocol="HTTPS",
                    pathname="/",
                    method="POST",
                    auth_type="AK",
                    style="RPC",
                    req_body_type="formData",
                    body_type="json",
                ),
                sdk.OpenApiRequest(query=sdk.Utils.query(request.to_map())),
                sdk.runtime_options(seconds, connections=self._connections),
            )
            return read(answer["body"])
        except Exception as error:  # noqa: BLE001 - whatever can't be read is a call without an answer
            raise cloud_error(f"ecs:{action}", error, self._redact) from None


def _page(body: Mapping[str, Any]) -> Page:
    instances = body["Instances"]["Instance"]
    return Page(
        instances=tuple(Instance.model_validate(instance) for instance in instances),
        next_token=body.get("NextToken") or None,
    )


def _local_disks(body: Mapping[str, Any]) -> dict[str, LocalDisks]:
    return {
        str(kind["InstanceTypeId"]): LocalDisks.YES
        if kind.get("LocalStorageAmount")
        or kind.get("LocalStorageCapacity")
        or kind.get("LocalStorageCategory")
        else LocalDisks.NO
        for kind in body["InstanceTypes"]["InstanceType"]
    }


def connect_ecs(region_id: str, credentials: Credentials, *, endpoint: str | None, connections: int) -> Ecs:
    """Make the SDK's client for one region; nothing is sent yet."""
    client = sdk.Client(
        sdk.config(region_id, credentials, endpoint or f"https://{sdk.regional_endpoint(region_id)}")
    )
    return SdkEcs(region_id, client, credentials, connections)
