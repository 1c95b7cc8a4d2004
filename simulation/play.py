"""Plays a scenario: FC delivers its events, the real function handles them, and all that happens is noted."""

from dataclasses import dataclass, field
from functools import partial
from random import Random

from function.invocation import FunctionInstance
from function.model.ports import Ports
from local.function_compute import Context, FunctionContext
from simulation.apis import Apis
from simulation.draw_scenario import CALM_TIMEOUT
from simulation.handed_on import handed_on
from simulation.machine import MachineClock, Tasks
from simulation.network import Network
from simulation.recording import RecordedInvocation, Recording
from simulation.scenario import OWN_ACCOUNT, OWN_REGION, Scenario, ScheduledDelivery
from simulation.scheduler import Scheduler, Stuck, Task
from simulation.simulated_ecs import SimulatedEcs

CREDENTIALS = {
    "ALIBABA_CLOUD_ACCESS_KEY_ID": "simulated",
    "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "simulated-secret",
}


@dataclass(slots=True)
class Host:
    """An instance of the function: it handles one event at a time, and remembers between them."""

    number: int
    function: FunctionInstance


@dataclass(slots=True)
class Player:
    """FC, and the machines it runs the function on."""

    recording: Recording
    scheduler: Scheduler
    random: Random
    network: Network
    idle: list[Host] = field(default_factory=list)
    hosts: int = 0
    roles: dict[str, str] = field(default_factory=dict)
    """Whose the assumed keys are, by their ids."""

    def deliver(self, delivery: ScheduledDelivery, tries: int = 0) -> None:
        """Invoke the function; see to it that it ends, by itself or not, and is tried again if it fails."""
        host = self._host()
        number = len(self.recording.invocations)
        invocation = RecordedInvocation(
            number=number,
            delivery=delivery,
            host=host.number,
            request_id=f"{number:08}",
            started=self.scheduler.time,
            started_step=self.recording.step(),
        )
        self.recording.invocations.append(invocation)
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
        return Host(self.hosts, FunctionInstance.prepare(self.recording.scenario.limits.environment()))

    def _invoke(self, invocation: RecordedInvocation, host: Host, tasks: list[Task], tries: int) -> None:
        clock = MachineClock(self.scheduler, self.recording.scenario.wall)
        apis = Apis(self.network, invocation, self.roles)
        ports = Ports(
            clock=clock,
            workers=Tasks(self.scheduler, tasks),
            chance=self.random.random,
            write=partial(self._write, invocation),
            connect_ecs=apis.connect_ecs,
            connect_sts=apis.connect_sts,
            connect_fc=apis.connect_fc,
        )
        context = Context(
            request_id=invocation.request_id,
            region=OWN_REGION,
            account_id=OWN_ACCOUNT,
            function=FunctionContext(timeout=invocation.delivery.timeout),
        )
        try:
            invocation.returned = host.function.invoke(invocation.delivery.body, context, CREDENTIALS, ports)
        except Exception as error:  # noqa: BLE001 - FC reports whatever the handler raises
            invocation.raised = error
        invocation.ended, invocation.ended_step = self.scheduler.time, self.recording.step()
        self.idle.append(host)
        if invocation.raised is not None:
            self._try_again(invocation, tries)

    def _kill(self, invocation: RecordedInvocation, tasks: list[Task], tries: int, *, outlived: bool) -> None:
        if invocation.ended is not None or invocation.killed is not None:
            return
        invocation.killed, invocation.ended_step = self.scheduler.time, self.recording.step()
        invocation.outlived = outlived
        for task in tasks:
            self.scheduler.kill(task)
        self._try_again(invocation, tries)

    def _try_again(self, invocation: RecordedInvocation, tries: int) -> None:
        delivery = invocation.delivery
        if not delivery.http and tries + 1 < len(delivery.kills):
            self.scheduler.at(
                self.scheduler.time + delivery.retry_after, partial(self.deliver, delivery, tries + 1)
            )

    def _write(self, invocation: RecordedInvocation, line: str) -> None:
        invocation.written.append((self.recording.step(), self.scheduler.time, line))

    def accept(self, event: bytes) -> None:
        """Take an event that the function hands on: it becomes a delivery of its own, soon."""
        calm = self.recording.scenario.calm
        tries = 1 if calm else self.random.choice((1, 4))
        kill = None if calm or self.random.random() < 0.8 else self.random.uniform(0, 10)
        delivery = ScheduledDelivery(
            body=event,
            wishes=handed_on(event),
            start=self.scheduler.time
            + self.random.choice((0.0, 0.1, 5.0) if calm else (0.0, 0.1, 5.0, 4000.0)),
            timeout=CALM_TIMEOUT if calm else self.random.choice((20, 60, 300)),
            kills=(kill, *(None,) * (tries - 1)),
            retry_after=self.random.choice((1.0, 60.0)),
        )
        self.scheduler.at(delivery.start, partial(self.deliver, delivery))


def play(scenario: Scenario) -> Recording:
    """Let it all happen, until nothing is left to happen."""
    recording, random = Recording(scenario), Random(f"play {scenario.seed}")
    scheduler = Scheduler(random)
    cloud = SimulatedEcs(recording, scheduler)
    network = Network(cloud, recording, scheduler, random, accept=lambda event: player.accept(event))  # noqa: PLW0108 - the player is made below
    player = Player(recording, scheduler, random, network)
    for delivery in scenario.deliveries:
        scheduler.at(delivery.start, partial(player.deliver, delivery))
    for meddling in scenario.meddlings:
        scheduler.at(meddling.moment, partial(cloud.meddle, meddling))
    try:
        scheduler.run()
    except Stuck as error:
        recording.stuck = str(error)
    return recording
