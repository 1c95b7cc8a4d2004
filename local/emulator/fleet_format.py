"""An instance as a fleet file may give it: ECS's own fields, and `x-emulator` for what ECS doesn't say."""

import re
from collections.abc import Mapping
from functools import partial
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_pascal

from local.api.error_table import ErrorRow, error_row
from local.api.names import INSTANCE_ID, REGION_ID

EMULATOR_KEY = "x-emulator"
DEFAULT_TYPE = "ecs.g6.large"

FIELDS = (
    "AdditionalInfo",
    "AutoReleaseTime",
    "ClockOptions",
    "ClusterId",
    "Cpu",
    "CpuOptions",
    "CreationTime",
    "CreditSpecification",
    "DedicatedHostAttribute",
    "DedicatedInstanceAttribute",
    "DeletionProtection",
    "DeploymentSetGroupNo",
    "DeploymentSetId",
    "Description",
    "DeviceAvailable",
    "EcsCapacityReservationAttr",
    "EipAddress",
    "EnableNVS",
    "ExpiredTime",
    "GPUAmount",
    "GPUSpec",
    "HibernationOptions",
    "HostName",
    "HpcClusterId",
    "ISP",
    "ImageId",
    "ImageOptions",
    "InnerIpAddress",
    "InstanceChargeType",
    "InstanceId",
    "InstanceName",
    "InstanceNetworkType",
    "InstanceType",
    "InstanceTypeFamily",
    "InternetChargeType",
    "InternetMaxBandwidthIn",
    "InternetMaxBandwidthOut",
    "IoOptimized",
    "KeyPairName",
    "LocalStorageAmount",
    "LocalStorageCapacity",
    "Memory",
    "MetadataOptions",
    "NetworkInterfaces",
    "OSName",
    "OSNameEn",
    "OSType",
    "OperationLocks",
    "PrivateDnsNameOptions",
    "PublicIpAddress",
    "RdmaIpAddress",
    "Recyclable",
    "RegionId",
    "ResourceGroupId",
    "SaleCycle",
    "SecurityGroupIds",
    "SecurityOptions",
    "SerialNumber",
    "SpotDuration",
    "SpotInterruptionBehavior",
    "SpotPriceLimit",
    "SpotStrategy",
    "StartTime",
    "Status",
    "StoppedMode",
    "Tags",
    "VlanId",
    "VpcAttributes",
    "ZoneId",
)
"""The fields of an instance that DescribeInstances shows (the ECS SDK's model, 7.11.8)."""

STATUSES = ("Pending", "Running", "Starting", "Stopping", "Stopped")
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]


def _spelt(known: tuple[str, ...], value: str) -> str:
    """Take any value, since ECS adds new ones, but not a known one in other letters."""
    slip = {name.lower(): name for name in known}.get(value.lower(), value)
    if slip != value:
        raise ValueError(f"it is spelt {slip!r}")
    return value


def _word(*known: str) -> AfterValidator:
    return AfterValidator(partial(_spelt, known))


def _like(pattern: str, example: str) -> AfterValidator:
    """Take what looks like the example."""

    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError(f"it must look like {example}")
        return value

    return AfterValidator(check)


def _whole(value: object) -> object:
    """Take 8192.0, as some tools save it, for 8192."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _holding(name: str) -> BeforeValidator:
    """Take `{name: […]}`; in another form what it holds would count for nothing."""

    def check(value: object) -> object:
        if not isinstance(value, Mapping) or (value and name not in value):
            raise ValueError(f'expected {{"{name}": […]}}')
        return value

    return BeforeValidator(check)


Whole = Annotated[int, BeforeValidator(_whole), Field(ge=0)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, alias_generator=to_pascal)


class ErrorAnswer(_Strict):
    """An error to answer with, or just its code; what is left out comes from ECS's own table."""

    code: str
    message: str | None = None
    status: int | None = Field(default=None, ge=400, le=599)

    @model_validator(mode="before")
    @classmethod
    def _code_alone(cls, given: object) -> object:
        return {"Code": given} if isinstance(given, str) else given

    @model_validator(mode="after")
    def _known(self) -> Self:
        self.row()
        return self

    def row(self) -> ErrorRow:
        """Return the whole answer."""
        return error_row(self.code, self.message, self.status)


class LocalStorage(_Strict):
    """What DescribeInstanceTypes says about a type's local disks; amount 0: none. Capacity: GiB of each."""

    local_storage_category: str = "local_ssd_pro"
    local_storage_amount: int = Field(default=1, ge=0)
    local_storage_capacity: int = Field(default=894, ge=0)


class Emulator(_Strict):
    """What ECS does not say about an instance: the keys of `x-emulator`, here in CamelCase as there.

    `StopSeconds`, `StartSeconds`: how long it stays Stopping or Starting (else the emulator's own).
    `StopInstance`: the error that every stop call answers, a code or `{"Code", "Message", "Status"}`.
    `StartInstance`: the same of every start call, such as `OperationDenied.NoStock`.
    `Stuck`: stop calls are accepted, but it stays Running, or stays Stopping.
    `StopCharging`: asked for where it can't apply, `reject` it as the error table says, or be `lenient`.
    `LocalStorage`: its type's local disks.
    `UnknownType`: DescribeInstanceTypes doesn't know its type.
    `AccountId`: the account it belongs to, 16 digits (else the emulator's own).
    """

    stop_seconds: Seconds | None = None
    start_seconds: Seconds | None = None
    stop_instance: ErrorAnswer | None = None
    start_instance: ErrorAnswer | None = None
    stuck: Literal["Running", "Stopping"] | None = None
    stop_charging: Literal["reject", "lenient"] | None = None
    local_storage: LocalStorage | None = None
    unknown_type: bool = False
    account_id: Annotated[str, _like("[0-9]{16}", "1234567890123456")] | None = None


class _Lenient(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True, frozen=True, alias_generator=to_pascal)


class _Tag(_Lenient):
    tag_key: str
    tag_value: str = ""


class _Tags(_Lenient):
    tag: list[_Tag] = []


class _LockReason(_Lenient):
    lock_reason: str


class _OperationLocks(_Lenient):
    lock_reason: list[_LockReason] = []


class _VpcAttributes(_Lenient):
    vpc_id: str = ""


# Shared, as they are frozen: pydantic would copy them for each instance.
_NOTHING_TOLD = Emulator()
_NO_LOCKS = _OperationLocks()
_NO_TAGS = _Tags()
_NO_VPC = _VpcAttributes()


class KnownAttributes(_Lenient):
    """The fields of an instance that the local ECS itself goes by; all others pass through unread."""

    instance_id: Annotated[str, _like(INSTANCE_ID.pattern, "i-bp67acfmxazb4ph001")]
    region_id: Annotated[str, _like(REGION_ID.pattern, "cn-hangzhou")] = ""
    zone_id: str = ""
    instance_name: str = ""
    instance_type: Annotated[str, _like(r"ecs\.[a-z0-9-]+\.[a-z0-9.-]+", DEFAULT_TYPE)] = DEFAULT_TYPE
    status: Annotated[str, _word(*STATUSES)] = "Running"
    stopped_mode: Annotated[str, _word("KeepCharging", "StopCharging", "Not-applicable")] = "Not-applicable"
    instance_charge_type: Annotated[str, _word("PostPaid", "PrePaid")] = "PostPaid"
    instance_network_type: Annotated[str, _word("vpc", "classic")] = "vpc"
    spot_strategy: Annotated[str, _word("NoSpot", "SpotWithPriceLimit", "SpotAsPriceGo")] = "NoSpot"
    resource_group_id: str = ""
    cpu: Whole = 0
    memory: Whole = 0
    local_storage_amount: Whole = 0
    local_storage_capacity: Whole = 0
    operation_locks: Annotated[_OperationLocks, _holding("LockReason")] = Field(
        default_factory=lambda: _NO_LOCKS
    )
    tags: Annotated[_Tags, _holding("Tag")] = Field(default_factory=lambda: _NO_TAGS)
    vpc_attributes: _VpcAttributes = Field(default_factory=lambda: _NO_VPC)
    emulator: Emulator = Field(default_factory=lambda: _NOTHING_TOLD, alias=EMULATOR_KEY)
