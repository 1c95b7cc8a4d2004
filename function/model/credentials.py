"""The function's credentials, read anew at each invocation, since STS tokens rotate."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol, Self
from urllib.parse import quote


class ContextCredentials(Protocol):
    """`context.credentials` of FC's Python 3.10 runtime; 3.12 has none (FC's runtime pages)."""

    @property
    def access_key_id(self) -> str:
        """The id."""
        ...

    @property
    def access_key_secret(self) -> str:
        """The secret."""
        ...

    @property
    def security_token(self) -> str:
        """The STS token, empty for a long-lived key."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """An access key, with a token where it is STS's. Neither is ever shown."""

    access_key_id: str = field(default="", repr=False)
    access_key_secret: str = field(default="", repr=False)
    security_token: str = field(default="", repr=False)

    @classmethod
    def read(cls, context: ContextCredentials | None, environment: Mapping[str, str]) -> Self:
        """Take the context's where the runtime has them, else the environment's."""
        if context is not None and context.access_key_id:
            return cls(
                access_key_id=context.access_key_id,
                access_key_secret=context.access_key_secret,
                security_token=context.security_token or "",
            )
        return cls(
            access_key_id=environment.get("ALIBABA_CLOUD_ACCESS_KEY_ID", ""),
            access_key_secret=environment.get("ALIBABA_CLOUD_ACCESS_KEY_SECRET", ""),
            security_token=environment.get("ALIBABA_CLOUD_SECURITY_TOKEN", ""),
        )

    def secrets(self) -> Iterator[str]:
        """Give what must never be shown, also in the form that it has in a URL."""
        for text in filter(None, (self.access_key_id, self.access_key_secret, self.security_token)):
            yield text
            if (quoted := quote(text, safe="")) != text:
                yield quoted
