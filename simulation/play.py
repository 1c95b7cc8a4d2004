"""Plays a scenario: FC delivers its events, the real function handles them, and all that happens is noted."""

from dataclasses import dataclass, field
from functools import partial
from random import Random

from function import sdk
from function.credentials import Credentials
from function.ecs import Ecs, SdkEcs
from function.effects import Effects
from function.failure import failure
from function.invocation import Function
from function.sts import ASSUME_ROLE
from simulation.cloud import Cloud
from simulation.history import History, Invocation
from simulation.machine import Tasks, VirtualClock
from simulation.network import Client, Network
from simulation.scenario import OWN_ACCOUNT, OWN_REGION, Delivery, Scenario, account_of
from simulation.scheduler import Scheduler, Stuck, Task

CREDENTIALS = {
    "ALIBABA_CLOUD_ACCESS_KEY_ID": "simulated",
    "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "simulated-secret",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionContext:
    """`context.function`."""

    timeout: int
    name: str = "stop-guard"


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What the function needs of FC's context."""

    request_id: str
    function: FunctionContext
    region: str = OWN_REGION
    account_id: str = OWN_ACCOUNT


@dataclass(slots=True)
class Host:
    """An instance of the function: it handles one event at a time, and remembers between them."""

    number: int
    function: Function


@dataclass(slots=True)
class Player:
    """FC, and the machines it runs the function on."""

    history: History
    scheduler: Scheduler
    random: Random
    network: Network
    idle: list[Host] = field(default_factory=list)
    hosts: int = 0
    roles: dict[str, str] = field(default_factory=dict)
    """Whose the assumed keys are, by their ids."""

    def deliver(self, delivery: Delivery, tries: int = 0) -> None:
        """Invoke the function; see to it that it ends, by itself or not, and is tried again if it fails."""
        host = self._host()
        number = len(self.history.invocations)
        invocation = Invocation(
            number=number,
            delivery=delivery,
            host=host.number,
            request_id=f"{number:08}",
            started=self.scheduler.time,
            started_step=self.history.step(),
        )
        self.history.invocations.append(invocation)
        tasks: list[Task] = []
        tasks.append(self.scheduler.spawn(partial(self._invoke, invocation, host, tasks, tries)))
        start = self.scheduler.time
        kill = delivery.kills[tries] if tries < len(delivery.kills) else None
        if kill is not None and kill < delivery.timeout:
            self.scheduler.at(start + kill, partial(self._kill, invocation, tasks, tries, outlived=False))
        self.scheduler.at(
            start + delivery.timeout, partial(self._kill, invocation, tasks, tries, outlived=True)
        )

    def _host(self) -> Host:
        if self.idle:
            return self.idle.pop()
        self.hosts += 1
        return Host(self.hosts, Function.prepare(self.history.scenario.limits.environment()))

    def _invoke(self, invocation: Invocation, host: Host, tasks: list[Task], tries: int) -> None:
        clock = VirtualClock(self.scheduler, self.history.scenario.wall)
        effects = Effects(
            clock=clock,
            workers=Tasks(self.scheduler, clock, tasks),
            chance=self.random.random,
            write=partial(self._write, invocation),
            connect=partial(self._connect, invocation),
            assume_role=partial(self._assume_role, invocation),
        )
        context = Context(
            request_id=invocation.request_id, function=FunctionContext(timeout=invocation.delivery.timeout)
        )
        try:
            invocation.returned = host.function.invoke(
                invocation.delivery.body, context, CREDENTIALS, effects
            )
        except Exception as error:  # noqa: BLE001 - FC reports whatever the handler raises
            invocation.raised = error
        invocation.ended, invocation.ended_step = self.scheduler.time, self.history.step()
        self.idle.append(host)
        if invocation.raised is not None:
            self._try_again(invocation, tries)

    def _kill(self, invocation: Invocation, tasks: list[Task], tries: int, *, outlived: bool) -> None:
        if invocation.ended is not None or invocation.killed is not None:
            return
        invocation.killed, invocation.ended_step = self.scheduler.time, self.history.step()
        invocation.outlived = outlived
        for task in tasks:
            self.scheduler.kill(task)
        self._try_again(invocation, tries)

    def _try_again(self, invocation: Invocation, tries: int) -> None:
        delivery = invocation.delivery
        if not delivery.http and tries + 1 < len(delivery.kills):
            self.scheduler.at(
                self.scheduler.time + delivery.retry_after, partial(self.deliver, delivery, tries + 1)
            )

    def _write(self, invocation: Invocation, line: str) -> None:
        invocation.written.append((self.history.step(), self.scheduler.time, line))

    def _connect(
        self,
        invocation: Invocation,
        region_id: str,
        credentials: Credentials,
        *,
        endpoint: str | None,
        connections: int,
    ) -> Ecs:
        role = self.roles.get(credentials.access_key_id)
        account_id = OWN_ACCOUNT if role is None else account_of(role)
        invocation.connected.append(((account_id, region_id), endpoint))
        client = Client(self.network, invocation, role, region_id)
        return SdkEcs(region_id, client, credentials, connections)

    def _assume_role(
        self,
        invocation: Invocation,
        role_arn: str,
        credentials: Credentials,
        *,
        region_id: str,
        endpoint: str | None,
        lasting: float,
        seconds: float,
    ) -> Credentials:
        """Do what `function.sts.assume_role` does, by the simulated network."""
        del endpoint, lasting
        client = Client(self.network, invocation, None, region_id)
        query = {"RoleArn": role_arn, "RoleSessionName": "simulated"}
        try:
            answer = client.call_api(
                sdk.Params(action=ASSUME_ROLE), sdk.OpenApiRequest(query=query), sdk.runtime_options(seconds)
            )
            key = answer["body"]["Credentials"]
            self.roles[key["AccessKeyId"]] = role_arn
            return Credentials(
                access_key_id=key["AccessKeyId"],
                access_key_secret=key["AccessKeySecret"],
                security_token=key["SecurityToken"],
            )
        except Exception as error:  # noqa: BLE001 - as there
            raise failure(f"sts:{ASSUME_ROLE}", error, credentials) from None


def play(scenario: Scenario) -> History:
    """Let it all happen, until nothing is left to happen."""
    history, random = History(scenario), Random(f"play {scenario.seed}")
    scheduler = Scheduler(random)
    cloud = Cloud(history, scheduler)
    player = Player(history, scheduler, random, Network(cloud, history, scheduler, random))
    for delivery in scenario.deliveries:
        scheduler.at(delivery.start, partial(player.deliver, delivery))
    for meddling in scenario.meddlings:
        scheduler.at(meddling.moment, partial(cloud.meddle, meddling))
    try:
        scheduler.run()
    except Stuck as error:
        history.stuck = str(error)
    return history
