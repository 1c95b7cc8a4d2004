"""What a run has around it, apart from its events."""

from dataclasses import dataclass

from function.model.credentials import Credentials
from function.model.ports import Ports
from function.model.scope import Scope
from function.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class InvocationContext:
    """The function's name and place in the cloud (`own`), its keys, settings and ports.

    `deadline` is monotonic seconds.
    """

    request_id: str
    function_name: str
    own: Scope
    credentials: Credentials
    settings: Settings
    ports: Ports
    deadline: float

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not be shown, wherever it comes from."""
        token = self.settings.alarm_token
        return (*self.credentials.secrets(), *((token.get_secret_value(),) if token else ()))
