"""The states of an `Operation`, and what leads from one to another. Outcomes stand in quotes.

    Ready      the last look allowed a stop; the call goes out when it is due
    Looking    a look decides what comes next
    Verifying  a stop was accepted, or seen to be done; looks go on until one shows it Stopped
    Settling   the result is known, unless a look shows that a call in doubt was done

After some answers a call may have been done all the same (`CloudError.in_doubt`). That leaves a `Doubt`,
which stays. With one, Settling comes before the outcome, and "unknown" is it if a call got no answer at all.

What comes of the stop call, in Ready:

    accepted                Verifying
    accepted, not verified  "stopping"
    accepted, of a dry run  "unknown"
    dry run passed          "would_stop"
    not sent                Looking, once its action is open
    throttled               Looking, once its action is open
    not economical          Looking, now, then with KeepCharging
    not as it was seen      Looking, now, then again after a wait
    no connection           Looking, after a wait
    passing trouble         Looking, after a wait, in doubt
    no answer               Looking, after a wait, in doubt
    refused                 "refused"
    denied                  "failed"
    unlisted code           Settling on "failed", in doubt
    refused with others     Looking, now, then alone

What comes of a look:

                     Looking            Looking in doubt     Verifying   Settling
    Stopped          "already_stopped"  "stopped"            "stopped"   "stopped"
    Stopping         "already_stopped"  Verifying            Verifying   Verifying
    Running          Ready              Looking, then Ready  Verifying   Settling
    last try used    "failed"           Settling             Verifying   Settling
    forbidden        "refused"          Settling             Verifying   Settling
    no instance      "refused"          Settling             Verifying   Settling
    not sent         Looking            Looking              Verifying   Settling
    passing trouble  Looking            Looking              Verifying   Settling
    other trouble    "failed"           "unknown"            "stopping"  "unknown"
    time is up       "not_attempted"    "unknown"            "stopping"  "unknown"

Verifying is "stopping" when its time is over, and Settling its result when the doubt's time is. Trouble that
passes is as other trouble after `MAX_TRIES`, but in Verifying. In Ready time is up as in Looking.
"""

from dataclasses import dataclass

from function.guard.instance import Skip


@dataclass(frozen=True, slots=True)
class Ready:
    """It may be asked to stop."""


@dataclass(frozen=True, slots=True)
class Looking:
    """It is looked at before anything else; then it may be asked, from `ask_from` on."""

    ask_from: float = 0.0


@dataclass(frozen=True, slots=True)
class Verifying:
    """It is stopping, for all that is known, and looked at until a moment."""

    until: float


@dataclass(frozen=True, slots=True)
class Settling:
    """It has a result, for all that is known."""

    result: Skip


State = Ready | Looking | Verifying | Settling


@dataclass(frozen=True, slots=True)
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
