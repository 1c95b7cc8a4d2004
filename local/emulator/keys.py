"""The keys that calls to the local cloud are signed with, and whose calls they are."""

from dataclasses import dataclass, field

HIDDEN = "***"
"""What stands where a secret was."""


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A key to sign with; with a security token it is a temporary one, as FC injects it or STS issues it."""

    access_key_id: str = "emulator"
    access_key_secret: str = field(default="emulator", repr=False)
    security_token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessKey:
    """A key that is let in, and the account that its calls act in. `expired`: it was, and is no more.

    `session`: of a role's session, `ROLE/SESSION`; empty: the key is a user's.
    """

    credentials: KeyPair
    account_id: str
    session: str = ""
    expired: bool = False
