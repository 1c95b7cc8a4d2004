"""template.yml: strictly what Serverless Devs and Function Compute take, and what the function needs."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal, Self

import fastjsonschema
import pytest
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel, to_pascal

from function import index
from function.events.parse import parse
from function.model.request import Source, StopRequest
from function.settings import Settings
from local.artifact import RUNTIMES

PROJECT = Path(__file__).resolve().parent.parent
SCHEMA = PROJECT / "tests" / "fc3" / "schema.json"
TEMPLATE = (PROJECT / "template.yml").read_text()

# Serverless Devs' own: ${vars.region}, ${config('AccountID')}, ${env('NAME', 'default')}.
VARIABLE = re.compile(r"\$\{(?:vars\.(\w+)|config\('AccountID'\)|env\('\w+', '([^']*)'\))\}")
ACCOUNT_ID = "1234567890123456"

# Function Compute's form: seconds, minutes, hours, day of month, month, day of week.
_STEP = r"(?:\*|\?|\d+(?:-\d+)?(?:/\d+)?|\*/\d+|[A-Z]{3}(?:-[A-Z]{3})?)"
_FIELD = rf"{_STEP}(?:,{_STEP})*"
CRON = rf"^(?:CRON_TZ=[A-Za-z_]+(?:/[A-Za-z_]+)* )?{_FIELD}(?: {_FIELD}){{5}}$|^@every \d+[smh]$"


class Strict(BaseModel):
    """Nothing but what is known here: Serverless Devs drops a misspelt property without a word."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, alias_generator=to_camel)


class Pascal(Strict):
    """The parts that EventBridge spells its own way."""

    model_config = ConfigDict(alias_generator=to_pascal)


class TimerConfig(Strict):
    """`triggerConfig` of a timer."""

    cron_expression: str = Field(pattern=CRON)
    enable: bool
    payload: str


class MnsQueue(Pascal):
    """Where an MNS source takes its messages from."""

    region_id: str
    queue_name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,119}$")
    is_base64_decode: bool = Field(alias="IsBase64Decode")


class MnsParameters(Strict):
    """`eventSourceParameters` of an MNS source."""

    source_mns_parameters: MnsQueue = Field(alias="sourceMNSParameters")


class MnsSource(Strict):
    """Messages of a queue."""

    event_source_type: Literal["MNS"]
    event_source_parameters: MnsParameters


class NoParameters(Strict):
    """`{}`, which the schema wants to see."""


class DefaultSource(Strict):
    """The default event bus: events of Alibaba Cloud's own services."""

    event_source_type: Literal["Default"]
    event_source_parameters: NoParameters


class DeliveryOption(Strict):
    """One event at a time, in its envelope."""

    mode: Literal["event-driven"]
    event_schema: Literal["CloudEvents"]


class EventSink(Strict):
    """What the function gets."""

    delivery_option: DeliveryOption


class RetryStrategy(Pascal):
    """What EventBridge does where it can't deliver."""

    push_retry_strategy: Literal["BACKOFF_RETRY", "EXPONENTIAL_DECAY_RETRY"]


class RunOptions(Strict):
    """How EventBridge delivers."""

    mode: Literal["event-driven"]
    errors_tolerance: Literal["ALL", "NONE"]
    retry_strategy: RetryStrategy


class EventBridgeConfig(Strict):
    """`triggerConfig` of EventBridge."""

    trigger_enable: bool
    async_invocation_type: bool
    event_rule_filter_pattern: str
    event_source_config: Annotated[MnsSource | DefaultSource, Field(discriminator="event_source_type")]
    event_sink_config: EventSink
    run_options: RunOptions


class Trigger(Strict):
    """What all triggers have."""

    trigger_name: str = Field(pattern=r"^[a-zA-Z][a-zA-Z0-9_-]{0,127}$")
    description: str
    qualifier: Literal["LATEST"]


class TimerTrigger(Trigger):
    """A timer."""

    trigger_type: Literal["timer"]
    trigger_config: TimerConfig


class EventBridgeTrigger(Trigger):
    """A rule of EventBridge."""

    trigger_type: Literal["eventbridge"]
    trigger_config: EventBridgeConfig


class Hook(Strict):
    """A function that FC calls once per instance; `timeout` in seconds."""

    handler: str
    timeout: int = Field(ge=1, le=300)


class Lifecycle(Strict):
    """What FC calls besides the handler."""

    initializer: Hook


class LogConfig(Strict):
    """Where standard output goes."""

    project: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$")
    logstore: str
    enable_request_metrics: bool
    enable_instance_metrics: bool
    log_begin_rule: Literal["None"]  # the text; any other rule merges JSON lines


class Destination(Strict):
    """A queue."""

    destination: str = Field(pattern=r"^acs:mns:[a-z0-9-]+:\d+:/queues/[A-Za-z0-9-]+/messages$")


class Destinations(Strict):
    """Where the reports of complete runs go, and asynchronous events that failed to the last."""

    on_success: Destination
    on_failure: Destination


class AsyncInvoke(Strict):
    """What FC does with asynchronous events."""

    max_async_retry_attempts: int = Field(ge=0, le=8)
    max_async_event_age_in_seconds: int = Field(ge=1, le=2_592_000)
    destination_config: Destinations


class Tag(Strict):
    """A tag of the function."""

    key: str
    value: str


class Props(Strict):
    """The function."""

    region: str
    function_name: str
    description: str
    runtime: Literal["python3.10", "python3.12"]
    code: str
    handler: str
    role: str = Field(pattern=r"^[a-z0-9-]+$")  # a name is lower-cased by Serverless Devs
    memory_size: int = Field(ge=128, le=32_768, multiple_of=64)
    cpu: float = Field(ge=0.05, le=16)
    disk_size: Literal[512, 10_240]
    timeout: int = Field(ge=1, le=86_400)
    instance_concurrency: int = Field(ge=1, le=200)
    instance_lifecycle_config: Lifecycle
    internet_access: bool
    log_config: LogConfig
    async_invoke_config: AsyncInvoke
    environment_variables: dict[str, str]
    tags: list[Tag]
    triggers: list[Annotated[TimerTrigger | EventBridgeTrigger, Field(discriminator="trigger_type")]]

    @model_validator(mode="after")
    def _valid_pair(self) -> Self:
        """`cpu` in steps of 0.05 vCPU; from 1 to 4 GB of memory for each vCPU."""
        assert round(self.cpu * 100) % 5 == 0
        assert self.cpu == round(self.cpu, 2)
        assert 1 <= self.memory_size / 1024 / self.cpu <= 4
        return self

    @model_validator(mode="after")
    def _unique_names(self) -> Self:
        """See that no second trigger of a name replaces the first without a word."""
        names = [trigger.trigger_name for trigger in self.triggers]
        assert len(set(names)) == len(names)
        return self


class Run(Strict):
    """A command that Serverless Devs runs."""

    run: str
    path: str


class Component(Strict):
    """A command of the component that Serverless Devs runs."""

    component: str = Field(pattern=r"^fc3 deploy --trigger [a-z-]+ -y$")


class Actions(Strict):
    """What runs before and after a deployment."""

    pre_deploy: list[Run] = Field(alias="pre-deploy")
    success_deploy: list[Component] = Field(alias="success-deploy")


class Resource(Strict):
    """One component's work."""

    component: Literal["fc3"]
    actions: Actions
    props: Props


class Template(Strict):
    """The whole file."""

    edition: Literal["3.0.0"]
    name: str
    access: str
    validation: Literal[True]  # else the component's schema is not even looked at
    vars: dict[str, str | bool]
    resources: dict[str, Resource]


def read(text: str = TEMPLATE) -> object:
    """Read the template as Serverless Devs does, with its variables replaced."""
    variables = yaml.safe_load(text)["vars"]

    def value(match: re.Match[str]) -> str:
        if match[1]:
            return str(variables[match[1]])
        return ACCOUNT_ID if match[2] is None else match[2]

    def replaced(node: object) -> object:
        match node:
            case dict():
                return {key: replaced(child) for key, child in node.items()}
            case list():
                return [replaced(child) for child in node]
            case str():
                alone = VARIABLE.fullmatch(node)  # then the variable's type stays, too
                return variables[alone[1]] if alone and alone[1] else VARIABLE.sub(value, node)
        return node

    return replaced(yaml.safe_load(text))


@pytest.fixture(scope="module")
def template() -> Template:
    """Give the template, strictly read."""
    return Template.model_validate(read())


@pytest.fixture(scope="module")
def props(template: Template) -> Props:
    """Give the one function's properties."""
    (resource,) = template.resources.values()
    return resource.props


def test_every_property_is_known_and_valid(template: Template) -> None:
    """The template holds only what the model above knows, and no variable is left in it."""
    assert list(template.resources) == ["stop_guard"]
    assert "${" not in json.dumps(read())


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("memorySize: 128", "memorysize: 128"),
        ("memorySize: 128", "memorySize: 512"),
        ("cpu: 0.1", "cpu: 0.15"),
        ("cpu: 0.1", "cpu: 0.07"),
        ("logBeginRule: None", "logBeginRule: DefaultRegex"),
        ("0 0 20 * * *", "0 20 * * *"),
        ("every_evening: false", "every_evening: 'false'"),
        ("enable: ${vars.every_evening}", "enabled: ${vars.every_evening}"),
        ("triggerType: timer", "triggerType: eventbridge"),
        ("eventSourceType: MNS", "eventSourceType: Default"),
        ("triggerName: cloudmonitor-alarms", "triggerName: ecs-system-events"),
        ('MIN_UPTIME_MINUTES: "0"', "MIN_UPTIME_MINUTES: 0"),
        ("validation: true", "validation: false"),
    ],
)
def test_the_model_sees_mistakes(right: str, wrong: str) -> None:
    """Each mistake that Serverless Devs deploys without a word is found here."""
    assert right in TEMPLATE
    mistaken = read(TEMPLATE.replace(right, wrong, 1))
    with pytest.raises(ValidationError):
        Template.model_validate(mistaken)


def test_the_published_schema_agrees() -> None:
    """The function's properties are valid by the schema of Serverless Devs' fc3 component."""
    validate = fastjsonschema.compile(json.loads(SCHEMA.read_text()))
    given = read()
    assert isinstance(given, dict)
    props = given["resources"]["stop_guard"]["props"]

    validate(props)
    for wrong in ({"memorySize": 100}, {"logConfig": "none"}, {"runtime": "python3.11"}):
        with pytest.raises(fastjsonschema.JsonSchemaValueException):
            validate(props | wrong)


def enabled(trigger: TimerTrigger | EventBridgeTrigger) -> bool:
    """Say whether a trigger calls the function."""
    config = trigger.trigger_config
    return config.enable if isinstance(config, TimerConfig) else config.trigger_enable


def test_nothing_fires_at_deployment(props: Props) -> None:
    """Every trigger starts disabled, and both kinds are there."""
    assert [enabled(trigger) for trigger in props.triggers] == [False, False, False]
    assert {trigger.trigger_type for trigger in props.triggers} == {"timer", "eventbridge"}


def test_every_eventbridge_trigger_is_deployed_by_itself(template: Template, props: Props) -> None:
    """Serverless Devs leaves those behind an unchanged one as they were, also one to be switched off."""
    names = [one.trigger_name for one in props.triggers if isinstance(one, EventBridgeTrigger)]
    actions = template.resources["stop_guard"].actions.success_deploy
    assert [one.component for one in actions] == [f"fc3 deploy --trigger {name} -y" for name in names]


@pytest.mark.parametrize("switch", ["every_evening", "ecs_system_events", "cloudmonitor_alarms"])
def test_each_switch_switches_one_trigger(switch: str) -> None:
    """A variable of the template switches the trigger of its name, and no other."""
    assert f"{switch}: false" in TEMPLATE
    changed = Template.model_validate(read(TEMPLATE.replace(f"{switch}: false", f"{switch}: true")))
    (resource,) = changed.resources.values()
    on = [one.trigger_name for one in resource.props.triggers if enabled(one)]
    assert on == [switch.replace("_", "-")]


def test_the_file_of_ones_own_in_the_documents_is_valid() -> None:
    """What docs/deploy.md shows, laid over template.yml as Serverless Devs does, is a valid template."""
    page = (PROJECT / "docs" / "deploy.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    own = yaml.safe_load(text)
    assert own.pop("extend") == "./template.yml"
    merged = Template.model_validate(read(yaml.safe_dump(laid_over(yaml.safe_load(TEMPLATE), own))))
    (resource,) = merged.resources.values()
    settings = Settings.from_environment(resource.props.environment_variables)
    assert settings.max_instances == 200
    assert [one.trigger_name for one in resource.props.triggers if enabled(one)] == ["every-evening"]


def laid_over(base: object, own: object) -> object:
    """Merge maps, key by key; anything else is replaced."""
    if isinstance(base, dict) and isinstance(own, dict):
        return base | {key: laid_over(base.get(key), value) for key, value in own.items()}
    return own


def test_the_code_is_what_make_build_makes(template: Template, props: Props) -> None:
    """The build runs before every deployment, for the template's runtime, and makes the named files."""
    assert template.resources["stop_guard"].actions.pre_deploy == [Run(run="make build", path="./")]
    assert props.code == "./build"
    assert props.runtime in RUNTIMES
    assert f"$(or $(RUNTIME),{props.runtime})" in (PROJECT / "Makefile").read_text()
    for entry in (props.handler, props.instance_lifecycle_config.initializer.handler):
        file, _, name = entry.partition(".")
        assert file == "index"
        assert callable(getattr(index, name))
    assert props.environment_variables["PYTHONPATH"] == "/code/python"


def test_every_setting_is_in_the_template_and_nothing_else(props: Props) -> None:
    """The variables are those of Settings, without what FC itself sets, and PYTHONPATH."""
    settings = {str(field.alias) for field in Settings.model_fields.values()}
    own = {name for name in settings if not name.startswith(("FC_", "ALIBABA_CLOUD_"))}
    assert set(props.environment_variables) - {"PYTHONPATH"} == own


def test_the_settings_are_the_defaults(props: Props) -> None:
    """A function deployed without a change behaves as the settings' defaults say."""
    assert Settings.from_environment(props.environment_variables) == Settings.from_environment({})


def test_times_fit_together(props: Props) -> None:
    """There is time to verify within the timeout, and no event goes stale while FC tries it again."""
    settings = Settings.from_environment(props.environment_variables)
    assert props.timeout >= settings.verify_seconds + 120
    assert settings.max_event_age is not None
    age = props.async_invoke_config.max_async_event_age_in_seconds
    assert age <= settings.max_event_age.total_seconds() / 2


def test_the_timer_asks_for_what_opted_in(props: Props) -> None:
    """The timer's payload is a valid request: every instance with the tag that the settings require."""
    (timer,) = (trigger for trigger in props.triggers if isinstance(trigger, TimerTrigger))
    now = datetime(2026, 1, 30, 12, tzinfo=UTC)
    event = {
        "triggerTime": now.isoformat(),
        "triggerName": timer.trigger_name,
        "payload": timer.trigger_config.payload,
    }
    (request,) = parse(json.dumps(event).encode(), now=now).events

    assert isinstance(request, StopRequest)
    assert request.source is Source.TIMER
    assert request.selection is not None
    required = Settings.from_environment(props.environment_variables).required_tag
    assert request.selection.tags == (required,)
    assert not request.confirm_stop
    assert not request.force_stop


@pytest.mark.parametrize(
    ("trigger_name", "sample"),
    [("ecs-system-events", "eventbridge.ecs.json"), ("cloudmonitor-alarms", "mns.json")],
)
def test_the_patterns_let_the_samples_through(props: Props, trigger_name: str, sample: str) -> None:
    """Each EventBridge trigger passes on the event that its sample shows."""
    (trigger,) = (trigger for trigger in props.triggers if trigger.trigger_name == trigger_name)
    assert isinstance(trigger, EventBridgeTrigger)
    event = json.loads((PROJECT / "events" / sample).read_text())
    pattern = json.loads(trigger.trigger_config.event_rule_filter_pattern)

    for name, allowed in pattern.items():
        assert any(
            event[name] == one if isinstance(one, str) else event[name].startswith(one["prefix"])
            for one in allowed
        )
    from_queue = isinstance(trigger.trigger_config.event_source_config, MnsSource)
    assert from_queue == event["type"].startswith("mns:")


@pytest.mark.parametrize(
    ("cron", "valid"),
    [
        ("0 0 20 * * *", True),
        ("CRON_TZ=Asia/Shanghai 0 30 19 ? * MON-FRI", True),
        ("0 0/15 * * * *", True),
        ("@every 4m", True),
        ("0 20 * * *", False),
        ("0 0 20 * * * *", False),
        ("TZ=Asia/Shanghai 0 0 20 * * *", False),
        ("@daily", False),
    ],
)
def test_cron_form(cron: str, valid: bool) -> None:  # noqa: FBT001 - the table's second column
    """FC's cron has six fields, seconds first, and only CRON_TZ before them."""
    assert bool(re.match(CRON, cron)) == valid
