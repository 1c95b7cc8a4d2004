"""A template as the checks go by it: the parts that say how stop-guard is set up. Anything else passes."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, alias_generator=to_camel, populate_by_name=True)


class Trigger(_Part):
    """A trigger; `config` as it is written."""

    name: str = Field("", alias="triggerName")
    type: str = Field("", alias="triggerType")
    config: dict[str, Any] = Field({}, alias="triggerConfig")

    @property
    def enabled(self) -> bool:
        """Whether it calls the function; one by HTTP always does."""
        return self.type == "http" or True in (self.config.get("enable"), self.config.get("triggerEnable"))


class Destination(_Part):
    """A queue, a function, an event bus."""

    destination: str = ""


class Destinations(_Part):
    """Where records of asynchronous invocations go."""

    on_success: Destination | None = None
    on_failure: Destination | None = None


class AsyncInvoke(_Part):
    """What FC does with asynchronous events."""

    max_async_retry_attempts: int | str | None = None
    max_async_event_age_in_seconds: int | str | None = None
    destination_config: Destinations = Destinations()


class LogConfig(_Part):
    """Where standard output goes."""

    project: str = ""
    logstore: str = ""
    log_begin_rule: str = "DefaultRegex"


class Function(_Part):
    """The function's properties; a number or switch that only Serverless Devs knows is the text `${…}`."""

    region: str = ""
    function_name: str = ""
    runtime: str = ""
    handler: str = ""
    role: str = ""
    timeout: int | str = 3
    memory_size: int | str | None = None
    cpu: float | str | None = None
    instance_concurrency: int | str | None = None
    internet_access: bool | str | None = None
    vpc_config: Any = None
    instance_lifecycle_config: dict[str, Any] = {}
    code: Any = None
    environment_variables: dict[str, str] = {}
    log_config: LogConfig | str | None = None
    async_invoke_config: AsyncInvoke = AsyncInvoke()
    triggers: list[Trigger] = []

    @property
    def initializer(self) -> str:
        """What FC calls before the first event."""
        found = self.instance_lifecycle_config.get("initializer")
        return str(found.get("handler") or "") if isinstance(found, dict) else ""

    @property
    def timers(self) -> list[Trigger]:
        """The triggers that fire by the clock."""
        return [trigger for trigger in self.triggers if trigger.type == "timer"]
