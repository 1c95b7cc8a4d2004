"""Asks an ECS to stop an instance; also in processes of their own, so that it loads no more than that."""

from function.cloud.ecs import connect_ecs
from function.model.credentials import Credentials
from function.model.errors import CloudError
from function.model.ports import StopCall
from function.model.request import StoppedMode

INSTANCE = "i-bp1good0000000000001"
KEY = Credentials(access_key_id="emulator", access_key_secret="emulator")
STOP = StopCall(
    instance_id=INSTANCE,
    stopped_mode=StoppedMode.KEEP_CHARGING,
    confirm_stop=False,
    force_stop=False,
    dry_run=False,
)


def ask(endpoint: str, *, seconds: float = 15, fresh_seconds: float = 30) -> str:
    """Send a stop call; give what came of it."""
    ecs = connect_ecs("cn-hangzhou", KEY, endpoint=endpoint, connections=16)
    try:
        ecs.stop(STOP, seconds=seconds, fresh_seconds=fresh_seconds)
    except CloudError as error:
        return str(error)
    return "stopped"
