"""The states of an `Operation`, and what leads from one to another. Outcomes stand in quotes.

    Ready      the last look allowed a stop; the call goes out when it is due
    Looking    a look decides what comes next
    Verifying  a stop was accepted, or seen to be done; looks go on until one shows it Stopped
    Watching   somebody else has it stopped; looks go on likewise
    Settling   the result is known, unless a look shows that a call in doubt was done

After some answers a call may have been done all the same (`CloudError.in_doubt`). That leaves a `Doubt`,
which stays. With one, Settling comes before the outcome, and "unknown" is it if a call got no answer at all.

What comes of the stop call, in Ready:

    accepted                Verifying
    accepted, not verified  "stopping"
    accepted, of a dry run  "unknown"
    dry run passed          "would_stop"
    not started             Looking, once its action is open
    throttled               Looking, once its action is open
    not economical          Looking, now, then with KeepCharging
    not as it was seen      Looking, now, then again after a wait
    no connection           Looking, after a wait
    transient error         Looking, after a wait, in doubt
    no answer               Looking, after a wait, in doubt
    refused                 "refused"
    denied                  "failed"
    unlisted code           Settling on "failed", in doubt
    refused with others     Looking, now, then alone

What comes of a look:

                     Looking            Looking in doubt     Verifying   Watching           Settling
    Stopped          "already_stopped"  "stopped"            "stopped"   "already_stopped"  "stopped"
    Stopping         Watching           Verifying            Verifying   Watching           Verifying
    Running          Ready              Looking, then Ready  Verifying   Watching           Settling
    started since    "refused"          Settling             "refused"   "refused"          Settling
    last try used    "failed"           Settling             Verifying   Watching           Settling
    forbidden        "refused"          Settling             Verifying   Watching           Settling
    no instance      "refused"          Settling             Verifying   Watching           Settling
    not started      Looking            Looking              Verifying   Watching           Settling
    transient error  Looking            Looking              Verifying   Watching           Settling
    other error      "failed"           "unknown"            "stopping"  "stopping"         "unknown"
    time is up       "not_attempted"    "unknown"            "stopping"  "stopping"         "unknown"

Verifying and Watching are "stopping" when their time is over, and Settling its result when the doubt's time
is. A transient error is as another after `MAX_TRIES`, but in these two. In Ready time is up as in Looking.
Where nothing is verified, Watching is "stopping" at once. Verifying and Watching are "refused" only where it
was seen Stopping before, and "unknown" instead where a call got no answer: it may yet be done. Merely Running
it may be that ECS shows an old picture, or has given the stop up: that ends with their time, and the next try
decides.
"""

from dataclasses import replace
from datetime import datetime
from typing import Self

from function.model.frozen import frozen
from function.model.instance import Instance
from function.model.outcome import Settled


@frozen
class Ready:
    """It may be asked to stop."""


@frozen
class Looking:
    """It is looked at before anything else; then it may be asked, from `ask_from` on."""

    ask_from: float = 0.0


@frozen
class Watching:
    """It has been stopping since a time of day, for all that is known, and is looked at until a moment.

    `start`: its start time as ECS showed it with Stopping, None while that was not seen.
    """

    until: float
    since: datetime
    start: datetime | None = None

    def after(self, instance: Instance | None) -> Self:
        """Take in what a look shows."""
        stopping = instance is not None and instance.status == "Stopping"
        return replace(self, start=instance.start_time) if instance and stopping else self

    def restarted(self, instance: Instance | None) -> Instance | None:
        """Give it as it runs, or will, where somebody started it since it was seen Stopping, else None."""
        start = instance.start_time if instance and instance.status in {"Starting", "Running"} else None
        if instance is None or start is None or self.start is None or start <= self.start:
            return None
        return instance.model_copy(update={"status": "Running"})


class Verifying(Watching):
    """The same, by a stop call of this run."""

    __slots__ = ()


@frozen
class Settling:
    """It has a result, for all that is known."""

    result: Settled


State = Ready | Looking | Watching | Settling


@frozen
class Doubt:
    """A call may have been done: until when that may yet show, and whether a look came after it.

    `unanswered`: it, or one before it, got no answer at all.
    """

    until: float
    unanswered: bool
    looked: bool = False

    def is_open(self, now: float) -> bool:
        """Whether looks have not had time to show what the call has done."""
        return not self.looked or now < self.until
