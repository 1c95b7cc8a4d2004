"""The adapter to ECS over the official SDK, whose types stay in here."""

import json
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from function.cloud import sdk
from function.cloud.call_limits import within
from function.cloud.ecs_answers import NAMELESS, is_about_an_instance, items, read_page, read_types
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
"""`Code` of an instance that StopInstances stops: a number in its page's sample, a text in its type table."""

_MAX_PAGES = 10
"""DescribeInstances by ids has one page, and perhaps an empty one after it; more of them never end."""

_MIN_SECONDS = 0.1
"""What a further page is given at least: the SDK takes 0 milliseconds for its own default of seconds."""

Body = TypeVar("Body")


class _Request(Protocol):
    """One of the SDK's request models."""

    def to_map(self) -> dict[str, Any]: ...


class SdkEcs:
    """`Ecs` over the SDK's generic client and the ECS package's own request models.

    The SDK's retries stay off: they sleep on the machine's clock without regard to a deadline, know error
    codes only one by one, and would repeat a stop without a look in between.
    """

    def __init__(
        self,
        region_id: str,
        client: sdk.Client,
        credentials: Credentials,
        connections: int,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._region_id = region_id
        self._client = client
        self._redact = Redactor(credentials.secrets())
        self._connections = connections
        self._monotonic = monotonic

    def describe(self, instance_ids: Sequence[str], *, seconds: float) -> Page:
        """See `Ecs.describe`. What was not asked for is not believed, nor that an answer in part is all.

        ECS may give a `NextToken` with a page that is complete (DescribeInstances' own sample does).
        """
        wanted = frozenset(instance_ids)
        ends = self._monotonic() + seconds
        instances: dict[str, Instance] = {}
        unreadable: dict[str, CloudError] = {}
        nameless: CloudError | None = None
        token: str | None = None
        for _ in range(_MAX_PAGES):
            request = sdk.DescribeInstancesRequest(
                region_id=self._region_id,
                instance_ids=json.dumps(list(instance_ids)),
                max_results=MAX_IDS,
                next_token=token,
            )
            page = self._call(
                DESCRIBE_INSTANCES, request, max(ends - self._monotonic(), _MIN_SECONDS), read_page
            )
            instances |= {one.instance_id: one for one in page.instances if one.instance_id in wanted}
            unreadable |= {one: error for one, error in page.unreadable.items() if one in wanted}
            nameless = nameless or page.unreadable.get(NAMELESS)
            token = page.next_token
            if nameless and token is None:
                unreadable = dict.fromkeys(wanted - instances.keys(), nameless) | unreadable
            if token is None or len(instances) + len(unreadable) == len(wanted):
                return Page(instances=tuple(instances.values()), unreadable=unreadable)
        raise CloudError(ClientCode.NO_ANSWER, f"ecs:{DESCRIBE_INSTANCES} was answered in part", read=True)

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
        page = self._call(DESCRIBE_INSTANCES, request, seconds, read_page)
        # What becomes of an instance without an id nobody could be told, nor whether the cap has counted it:
        # such a listing did not come to its end. Where ids were asked for, it is one of those missing.
        if NAMELESS in page.unreadable:
            raise page.unreadable[NAMELESS]
        return page

    def local_disks(self, instance_types: Sequence[str], *, seconds: float) -> Mapping[str, LocalDisks]:
        """See `Ecs.local_disks`."""
        request = sdk.DescribeInstanceTypesRequest(instance_types=list(instance_types))
        return self._call(DESCRIBE_INSTANCE_TYPES, request, seconds, read_types)

    def stop(self, call: StopCall, *, seconds: float, fresh_seconds: float) -> str:
        """See `Ecs.stop`. ConfirmStop is left out where it is not needed, the rest is always explicit."""
        request = sdk.StopInstanceRequest(
            instance_id=call.instance_id,
            stopped_mode=call.stopped_mode.value,
            force_stop=call.force_stop,
            dry_run=call.dry_run,
            confirm_stop=True if call.confirm_stop else None,
        )
        return self._call(STOP_INSTANCE, request, seconds, self._request_id, fresh_seconds)

    def stop_together(
        self, calls: Sequence[StopCall], *, seconds: float, fresh_seconds: float
    ) -> Mapping[str, str | CloudError]:
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
        return self._call(STOP_INSTANCES, request, seconds, self._each_answer, fresh_seconds)

    def _each_answer(self, body: Mapping[str, Any]) -> dict[str, str | CloudError]:
        """Read what is said of each; what can't be read is as if it had not been said: looks will show."""
        request_id = self._request_id(body)
        answers = [
            one for one in items(body["InstanceResponses"], "InstanceResponse") if is_about_an_instance(one)
        ]
        times = Counter(one["InstanceId"] for one in answers)
        return {
            one["InstanceId"]: request_id
            if str(one["Code"]) == _ACCEPTED
            else error_answer(
                f"ecs:{STOP_INSTANCES}", str(one["Code"]), {**one, "RequestId": request_id}, self._redact
            )
            for one in answers
            if times[one["InstanceId"]] == 1  # of two answers about an instance neither is believed
        }

    def _request_id(self, body: Mapping[str, Any]) -> str:
        request_id = request_id_of(body, self._redact)
        if request_id is None:
            raise ValueError("an answer of ECS has a RequestId")
        return request_id

    def _call(
        self,
        action: str,
        request: _Request,
        seconds: float,
        read: Callable[[Any], Body],
        fresh_seconds: float = float("inf"),
    ) -> Body:
        """Send one call and read its answer, or raise `CloudError`."""
        try:
            with within(seconds, fresh_seconds=fresh_seconds):
                answer = self._client.call_api(
                    sdk.rpc(action, sdk.ECS_VERSION),
                    sdk.OpenApiRequest(query=sdk.Utils.query(request.to_map())),
                    sdk.runtime_options(seconds, connections=self._connections),
                )
            return read(answer["body"])
        except Exception as error:  # noqa: BLE001 - whatever can't be read is a call without an answer
            raise cloud_error(f"ecs:{action}", error, self._redact) from None


def connect_ecs(region_id: str, credentials: Credentials, *, endpoint: str | None, connections: int) -> Ecs:
    """Make the SDK's client for one region; nothing is sent yet."""
    client = sdk.Client(
        sdk.config(region_id, credentials, endpoint or f"https://{sdk.regional_endpoint(region_id)}")
    )
    return SdkEcs(region_id, client, credentials, connections)
