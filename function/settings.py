"""The environment, read once into one frozen `Settings`; the variables' names stand here and only here."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError

from function.model.credentials import Credentials, Redactor
from function.model.endpoint import read_endpoint
from function.model.managed import MANAGING_SERVICES
from function.model.request import MAX_INSTANCE_IDS, REGION_ID, StoppedMode, Tag
from function.model.scope import ROLE_ARN, ROLE_ARN_IN_ANY_ACCOUNT, in_any_account

NO_SUCH_RULE = "none"
"""Takes away the rule of MANAGED_TAGS; empty, a variable must not take protection away."""

MIN_TOKEN = 16
"""Characters of ALARM_TOKEN: whoever has it may ask for stops from anywhere."""

_ECHO = 200
"""Characters of a value in an error: enough to know it again, and to keep the error a line."""

_A_YEAR_IN_MINUTES = 366 * 24 * 60
"""Longer than anybody means; a number without a limit would overflow a time."""

_FC_MAX_TIMEOUT_SECONDS = 86_400
"""The longest that a function runs (FC's page about limits)."""

_OTHER_LIST = re.compile("[\uff0c\uff1b;\"'\\[\\]{}\r\n]")
"""How lists are written elsewhere; read as one part, it would match nothing, and protect nothing."""

_MAX_CONCURRENCY = 100
"""Threads, and connections to ECS; it counts calls by the minute, so more would only be throttled sooner."""


class InvalidSettings(ValueError):  # noqa: N818 - reads better in FC's errorType than InvalidSettingsError
    """One or more variables are wrong. The message names each, its problem, and a right example."""


def _split(text: str) -> tuple[str, ...]:
    if found := _OTHER_LIST.search(text):
        raise ValueError(f"holds {found[0]!r}; a list is written plainly, with commas between its parts")
    return tuple(part for part in (piece.strip() for piece in text.split(",")) if part)


def _names(text: str) -> tuple[str, ...]:
    names = _split(text)
    if not names:
        raise ValueError("names nothing")
    return names


def _region(text: str) -> str:
    if not REGION_ID.fullmatch(text):
        raise ValueError(f"{text!r} is not a region id")
    return text


def _regions(text: str) -> tuple[str, ...]:
    return tuple(map(_region, _names(text)))


def _role_arns(text: str) -> tuple[str, ...]:
    role_arns = _names(text)
    for role_arn in role_arns:
        if not (ROLE_ARN.fullmatch(role_arn) or ROLE_ARN_IN_ANY_ACCOUNT.fullmatch(role_arn)):
            raise ValueError(f"{role_arn!r} is not the ARN of a role")
    return role_arns


def _required_tag(text: str) -> Tag | None:
    if "," in text:
        raise ValueError("holds a comma; it takes one tag, and a list would match none")
    return _tag(text) if text else None


def _tags(text: str) -> tuple[Tag, ...]:
    return tuple(map(_tag, _names(text)))


def _key(text: str) -> str:
    if "=" in text:
        raise ValueError("holds '='; it takes the key alone, whatever its value")
    return text


def _managed_tags(text: str) -> tuple[str, ...]:
    return () if text == NO_SUCH_RULE else tuple(map(_key, _names(text)))


def _tag(text: str) -> Tag:
    key, separator, value = (part.strip() for part in text.partition("="))
    if not key:
        raise ValueError("has no tag key before '='")
    return Tag(key=key, value=value if separator else None)


def _token(text: str) -> SecretStr:
    if len(text) < MIN_TOKEN:
        raise ValueError(f"has {len(text)} characters; a secret has at least {MIN_TOKEN}")
    return SecretStr(text)


class Settings(BaseModel):
    """What the environment allows and how a stop is done.

    An empty variable means its default, so that a template can list every one; only REQUIRED_TAG has a
    meaning of its own when empty: no such rule.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", arbitrary_types_allowed=True)

    ecs_endpoint: Annotated[str, BeforeValidator(read_endpoint)] | None = Field(
        None, alias="ECS_ENDPOINT", examples=["https://ecs.cn-hangzhou.aliyuncs.com"]
    )
    sts_endpoint: Annotated[str, BeforeValidator(read_endpoint)] | None = Field(
        None, alias="STS_ENDPOINT", examples=["https://sts.cn-hangzhou.aliyuncs.com"]
    )
    fc_region: Annotated[str, BeforeValidator(_region)] | None = Field(
        None, alias="FC_REGION", examples=["cn-hangzhou"]
    )
    allowed_regions: Annotated[tuple[str, ...], BeforeValidator(_regions)] = Field(
        (), alias="ALLOWED_REGIONS", examples=["cn-hangzhou,cn-shanghai"]
    )
    allowed_role_arns: Annotated[tuple[str, ...], BeforeValidator(_role_arns)] = Field(
        (), alias="ALLOWED_ROLE_ARNS", examples=["acs:ram::1234567890123456:role/stop-guard"]
    )
    required_tag: Annotated[Tag | None, BeforeValidator(_required_tag)] = Field(
        Tag(key="auto-stop", value="true"), alias="REQUIRED_TAG", examples=["auto-stop=true"]
    )
    protected_tags: Annotated[tuple[Tag, ...], BeforeValidator(_tags)] = Field(
        (Tag(key="stop-guard", value="protected"),),
        alias="PROTECTED_TAG",
        examples=["stop-guard=protected,env=prod"],
    )
    managed_tags: Annotated[tuple[str, ...], BeforeValidator(_managed_tags)] = Field(
        tuple(MANAGING_SERVICES), alias="MANAGED_TAGS", examples=[",".join(MANAGING_SERVICES)]
    )
    keep_until_tag: Annotated[str, BeforeValidator(_key)] = Field(
        "keep-running-until", alias="KEEP_UNTIL_TAG", examples=["keep-running-until"]
    )
    min_uptime_minutes: int = Field(
        0, alias="MIN_UPTIME_MINUTES", ge=0, le=_A_YEAR_IN_MINUTES, examples=["30"]
    )
    max_instances: int = Field(100, alias="MAX_INSTANCES", ge=0, examples=["100"])
    stopped_mode: StoppedMode = Field(
        StoppedMode.KEEP_CHARGING, alias="STOPPED_MODE", examples=["StopCharging"]
    )
    alarm_states: Annotated[tuple[str, ...], BeforeValidator(_names)] = Field(
        ("ALERT", "ALARM", "firing", "CRITICAL", "WARN", "INFO"),
        alias="ALARM_STATES",
        examples=["ALERT,ALARM,firing,CRITICAL"],
    )
    system_events: Annotated[tuple[str, ...], BeforeValidator(_split)] = Field(
        (), alias="SYSTEM_EVENTS", examples=["Instance:SystemMaintenance.*:Scheduled"]
    )
    max_event_age_minutes: int = Field(
        60, alias="MAX_EVENT_AGE_MINUTES", ge=0, le=_A_YEAR_IN_MINUTES, examples=["60"]
    )
    alarm_token: Annotated[SecretStr | None, BeforeValidator(_token)] = Field(
        None, alias="ALARM_TOKEN", examples=["what openssl rand -hex 16 prints"]
    )
    verify_seconds: int = Field(
        120, alias="VERIFY_SECONDS", ge=0, le=_FC_MAX_TIMEOUT_SECONDS, examples=["120"]
    )
    concurrency: int = Field(16, alias="CONCURRENCY", ge=1, le=_MAX_CONCURRENCY, examples=["16"])
    fan_out: bool = Field(default=False, alias="FAN_OUT", examples=["true"])
    fan_out_endpoint: Annotated[str, BeforeValidator(read_endpoint)] | None = Field(
        None, alias="FAN_OUT_ENDPOINT", examples=["https://fcv3.cn-hangzhou.aliyuncs.com"]
    )
    shard_size: int = Field(MAX_INSTANCE_IDS, alias="SHARD_SIZE", ge=1, le=MAX_INSTANCE_IDS, examples=["500"])
    dry_run: bool = Field(default=False, alias="DRY_RUN", examples=["true"])

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read the variables that are Settings; others are nobody's business here.

        Raises `InvalidSettings` naming every wrong variable, never echoing a secret.
        """
        given = {
            name: text.strip()
            for name, text in environment.items()
            if name in _VARIABLES and (text.strip() or name == _VARIABLE_WITH_EMPTY_MEANING)
        }
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            secrets = [*Credentials.read(None, environment).secrets(), given.get("ALARM_TOKEN", "")]
            raise InvalidSettings("; ".join(_problems(error, Redactor(secrets)))) from None

    @staticmethod
    def variables() -> frozenset[str]:
        """Name the variables that are settings."""
        return frozenset(_VARIABLES)

    def regions_allowed(self, own_region: str) -> frozenset[str]:
        """ALLOWED_REGIONS, or the function's own region where there is no such list."""
        return frozenset(self.allowed_regions or (own_region,))

    def role_allowed(self, role_arn: str) -> bool:
        """Whether an event may name a role: ALLOWED_ROLE_ARNS has it, or one of its name in any account.

        All variables together may have 4 KB (FC's limits), some fifty such ARNs.
        """
        return bool({role_arn, in_any_account(role_arn)} & set(self.allowed_role_arns))

    @property
    def min_uptime(self) -> timedelta:
        """How long an instance must have been up before it may be stopped."""
        return timedelta(minutes=self.min_uptime_minutes)

    @property
    def max_event_age(self) -> timedelta | None:
        """How old an event may be; None: any age."""
        return timedelta(minutes=self.max_event_age_minutes) if self.max_event_age_minutes else None


_VARIABLES = {str(field.alias): field for field in Settings.model_fields.values()}
_VARIABLE_WITH_EMPTY_MEANING = "REQUIRED_TAG"
_PROBLEMS = {
    "bool_parsing": "is neither true nor false",
    "enum": f"is neither {' nor '.join(StoppedMode)}",
    "greater_than_equal": "is less than {ge}",
    "int_parsing": "is not a whole number",
    "int_parsing_size": "has too many digits",
    "less_than_equal": "is more than {le}",
    "string_unicode": "is not UTF-8",
    "value_error": "{error}",
}
"""What is wrong, by pydantic's kind of error, in words that follow the variable's name."""


def _problems(error: ValidationError, redact: Redactor) -> list[str]:
    problems = []
    for wrong in error.errors(include_url=False):
        name = str(wrong["loc"][0])
        field = _VARIABLES[name]
        # A URL with a user or a query in it may hold a password.
        secret = field.annotation == SecretStr | None or any(mark in str(wrong["input"]) for mark in "@?")
        value = "(not shown)" if secret else repr(redact.text(str(wrong["input"]))[:_ECHO])
        problem = redact.text(_PROBLEMS[wrong["type"]].format(**wrong.get("ctx", {})))
        problems.append(
            f"{name}: {problem}, got {value}; right would be {name}={(field.examples or [''])[0]}"
        )
    return problems
