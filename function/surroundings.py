"""What a run has around it, apart from its events."""

from collections.abc import MutableMapping
from dataclasses import dataclass

from function.credentials import Credentials
from function.effects import Effects
from function.instance import LocalDisks
from function.settings import Settings
from function.site import Site


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """The function's name and place in the cloud (`own`), its keys, settings and effects.

    `deadline` is monotonic seconds; `known_types` outlives the run.
    """

    request_id: str
    function_name: str
    own: Site
    credentials: Credentials
    settings: Settings
    effects: Effects
    deadline: float
    known_types: MutableMapping[str, LocalDisks]

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not be shown, wherever it comes from."""
        token = self.settings.alarm_token
        return (*self.credentials.secrets(), *((token.get_secret_value(),) if token else ()))
