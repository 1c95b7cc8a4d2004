"""When a call may go out: not too close to the deadline, not while ECS throttles its action at its scope."""

from dataclasses import dataclass, field

from function.model.errors import CloudError, Meaning
from function.model.frozen import frozen
from function.model.ports import Clock
from function.model.scope import QuotaKey, Scope, quota_key

CALL_SECONDS = 15.0
"""The longest that one call may take: the SDK's own 5 s to connect and 10 s to answer."""

MIN_CALL_SECONDS = 1.0
"""A call that has less than this is not started: it could be cut off half-way."""

WINDOW_SECONDS = 60.0
"""ECS throttles in fixed minutes, per action, region and account (ECS's page about API throttling)."""

WINDOW_JITTER_SECONDS = 5.0
"""Spread over this after a window's start, so that all who were throttled don't come back at once; short
beside the window, so that little of its quota is lost."""

BACKOFF_SECONDS = (1.0, 2.0, 4.0)
"""Waits after transient errors other than throttling, unless ECS asks for more; the last one repeats. With
`MAX_TRIES` they make some 14 seconds."""

MIN_THROTTLED_SECONDS = 1.0
"""A throttled action rests at least this long, also where ECS asks for less: it would be throttled again."""

LAST_LOOK_SECONDS = 1.5
"""A look that would come too late comes this long before the deadline instead: `MIN_CALL_SECONDS`, and the
time to get there."""

SHARE_OF_QUOTA = 0.8
"""Of what passed in a window until ECS throttled: the rest is left to others in the account."""

MAX_TRIES = 5
"""How often a call is made at most: a rule of thumb, to outlast a hiccup and to leave a real outage to FC's
retries. Throttled calls don't count: ECS did not look at them."""

BUSY_TRIES, BUSY_SECONDS = 22, 10.0
"""How often, and how far apart, where another operation on the instance has to end first: some 200 s, as long
as bosh-alicloud-cpi waits for InvalidOperation.Conflict (its instance_manager.go)."""


def max_tries(error: CloudError) -> int:
    """Say how often a call that fails like this is made at most."""
    return BUSY_TRIES if error.meaning is Meaning.BUSY else MAX_TRIES


@dataclass(slots=True)
class _Quota:
    """What a run allows itself in a window, once ECS has throttled: a share of what passed until then."""

    window: int = 0
    passed: int = 0
    throttled: bool = False
    limit: int | None = None
    step: int = 1

    def enter(self, window: int) -> None:
        """Start a new window; one that was not throttled had room for more, each time for more of it."""
        if window == self.window:
            return
        if self.limit is not None and not self.throttled:
            self.limit += self.step
            self.step *= 2
        self.window, self.passed, self.throttled = window, 0, False


@frozen
class Throttle:
    """The deadline (monotonic seconds), and the throttled actions with the moment at which they open again.

    `jitter`, from 0 to 1, is one for a whole run: runs that fail at once don't come back at once, but the
    instances whose call failed together do, and so are looked at and stopped together again.

    Only the run's own thread writes; threads that are about to make a call read.
    """

    clock: Clock
    jitter: float
    deadline: float
    _opens: dict[QuotaKey, float] = field(default_factory=dict)
    _quotas: dict[QuotaKey, _Quota] = field(default_factory=dict)

    def seconds_left(self) -> float:
        """Say how long it is until the deadline."""
        return self.deadline - self.clock.monotonic()

    def seconds_for_a_call(self) -> float | None:
        """Say how long a call that starts now may take; None: it is too late to start one."""
        now = self.clock.monotonic()
        return None if self._too_late(now) else min(CALL_SECONDS, self.deadline - now)

    def opens_at(self, action: str, scope: Scope) -> float:
        """Give the moment from which an action may be called; one in the past where it is open."""
        return self._opens.get(quota_key(action, scope), 0.0)

    def is_open(self, action: str, scope: Scope) -> bool:
        """Whether an action may be called now."""
        return self.opens_at(action, scope) <= self.clock.monotonic()

    def room(self, action: str, scope: Scope) -> int | None:
        """Say how many calls will probably pass until the window ends; None: nothing is known of a quota.

        Where there is no room the action is shut until then.
        """
        quota = self._quota(action, scope)
        if quota.limit is None:
            return None
        room = max(0, quota.limit - quota.passed)
        if room == 0 and self.is_open(action, scope):
            self._shut(action, scope, self.window_ends())
        return room

    def answered(self, action: str, scope: Scope, error: CloudError | None) -> None:
        """Take in whether a call passed, and where it was throttled shut the action."""
        quota = self._quota(action, scope)
        if error is None or error.meaning is not Meaning.THROTTLED:
            quota.passed += 1
        elif error.retry_after is not None:
            wait = max(MIN_THROTTLED_SECONDS, error.retry_after)
            self._shut(action, scope, self.clock.monotonic() + wait)
        else:
            if not quota.throttled:
                quota.throttled, quota.step = True, 1
                quota.limit = max(1, int(quota.passed * SHARE_OF_QUOTA))
            self._shut(action, scope, self.window_ends())

    def retry_at(self, action: str, scope: Scope, error: CloudError, tries: int) -> float:
        """Give the moment at which to try again after a failure, the `tries`-th that counts."""
        if error.meaning is Meaning.THROTTLED:
            return self.opens_at(action, scope)
        wait = BACKOFF_SECONDS[max(0, min(tries, len(BACKOFF_SECONDS)) - 1)] * (1 + self.jitter / 2)
        if error.meaning is Meaning.BUSY and tries > len(BACKOFF_SECONDS):
            wait = BUSY_SECONDS
        return self.clock.monotonic() + max(wait, error.retry_after or 0.0)

    def in_time(self, moment: float) -> float:
        """Give the moment of a look: not so late that it can no longer be taken, if there is time for one."""
        last = self.deadline - LAST_LOOK_SECONDS
        return min(moment, last) if self.clock.monotonic() < last else moment

    def wait_until(self, moment: float) -> bool:
        """Sleep until then; not at all, and False, where by then it would be too late to start a call."""
        now = self.clock.monotonic()
        if self._too_late(max(moment, now)):
            return False
        if moment > now:
            self.clock.sleep(moment - now)
        return True

    def _too_late(self, moment: float) -> bool:
        return self.deadline - moment < MIN_CALL_SECONDS

    def _quota(self, action: str, scope: Scope) -> _Quota:
        quota = self._quotas.setdefault(quota_key(action, scope), _Quota())
        quota.enter(int(self.clock.now().timestamp() // WINDOW_SECONDS))
        return quota

    def window_ends(self) -> float:
        """Give the moment at which ECS's fixed minute is over."""
        return self.clock.monotonic() + WINDOW_SECONDS - self.clock.now().timestamp() % WINDOW_SECONDS

    def _shut(self, action: str, scope: Scope, until: float) -> None:
        again = until + self.jitter * WINDOW_JITTER_SECONDS
        self._opens[quota_key(action, scope)] = max(again, self.opens_at(action, scope))
