"""What a run has around it, apart from its events."""

from function.model.credentials import Credentials, Redactor
from function.model.frozen import frozen
from function.model.ports import Ports
from function.model.scope import Scope
from function.settings import Settings


@frozen(kw_only=True)
class InvocationContext:
    """The function's name and scope (`own`), its credentials, settings and ports.

    `deadline` is monotonic seconds; `redact` knows what not to show. `over_http`: the sender waits for the
    answer, and nobody tries again.
    """

    request_id: str
    function_name: str
    own: Scope
    credentials: Credentials
    settings: Settings
    ports: Ports
    deadline: float
    redact: Redactor
    over_http: bool = False
