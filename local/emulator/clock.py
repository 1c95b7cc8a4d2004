"""A clock for rehearsals and tests: time passes by sleeping alone, and then at once."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta


@dataclass(slots=True)
class VirtualClock:
    """Shows `start` until somebody sleeps, or advances it; `slept` are the seconds of each sleep."""

    start: datetime
    seconds: float = 0.0
    slept: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        """Give the start plus what has passed."""
        return self.start + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        """Give the seconds that have passed."""
        return self.seconds

    def sleep(self, seconds: float) -> None:
        """Let time pass, and remember it."""
        self.slept.append(seconds)
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Let time pass while nobody sleeps."""
        self.seconds += seconds
