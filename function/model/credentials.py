"""The function's credentials, read anew at each invocation, since STS tokens rotate; and the redactor."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from typing import Protocol, Self

from function.model.frozen import frozen

MIN_SECRET = 6
"""A shorter text is in too many words to be taken out of them."""

_MASK = "***"

_CREDENTIAL_WORDS = (
    "authorization",
    "bearer",
    "credential",
    "ltai",
    "passw",
    "secret",
    "signature",
    "sts.",
    "token",
)
_ACCESS_KEY = re.compile(r"access.?key")
_RUN = re.compile(r"[0-9A-Za-z]+")
_BACKSLASH = r"(?:\\|%(?i:(?:25)*5c))"
_SHORT_ESCAPES = {"\b": "b", "\t": "t", "\n": "n", "\f": "f", "\r": "r"}


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


@frozen(kw_only=True)
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
        """Give what must never be shown."""
        yield from (self.access_key_id, self.access_key_secret, self.security_token)


class Redactor:
    """Takes known secrets out of text, in whatever form JSON, `repr` or a URL has them, one in another too.

    Apply it before a text is cut: of a secret in part nothing can be known.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        """Take what must not be shown; a longer one may hold a shorter one, so it goes first."""
        known = sorted({text for text in secrets if len(text) >= MIN_SECRET}, key=len, reverse=True)
        # Letters and digits look the same in every form: where the longest run of them is not, nothing is.
        self._known = [(max([*_RUN.findall(secret), ""], key=len), secret) for secret in known]

    def holds(self, text: str) -> bool:
        """Tell whether a text has a secret in it."""
        return any(run in text and _forms(secret).search(text) for run, secret in self._known)

    def text(self, text: str) -> str:
        """Give the text without secrets."""
        for run, secret in self._known:
            if run in text:
                text = _forms(secret).sub(_MASK, text)
        return text

    def value(self, value: object) -> object:
        """Give a JSON value without secrets, keys too; itself where it holds none."""
        return self._without(value) if self.holds(json.dumps(value)) else value

    def _without(self, value: object) -> object:
        match value:
            case str():
                text = self.text(value)
                # What only its JSON shows, such as a secret that begins with the n of a line's end.
                return _MASK if self.holds(json.dumps(text)) else text
            case dict():
                return {self._without(str(key)): self._without(inner) for key, inner in value.items()}
            case list() | tuple():
                return [self._without(inner) for inner in value]
            case _:
                return value


NO_SECRETS = Redactor(())


def may_hold_credential(text: str) -> bool:
    """Tell whether a text speaks of a credential, though of none that is known here."""
    folded = text.casefold()
    return any(word in folded for word in _CREDENTIAL_WORDS) or _ACCESS_KEY.search(folded) is not None


def _forms(secret: str) -> re.Pattern[str]:
    """Make the pattern of a secret in all its forms; `re` keeps it."""
    return re.compile("".join(map(_form, re.findall(r"\\+|[^\\]", secret))))


def _form(part: str) -> str:
    """Make the pattern of a character, or of backslashes in a row, of which a writer may make more."""
    if _RUN.fullmatch(part):
        return part
    character, escape = part[0], _BACKSLASH + "+"
    in_url = "".join(f"%(?:25)*{byte:02x}" for byte in character.encode(errors="surrogatepass"))
    in_json = "".join(f"{escape}u{unit:04x}" for unit in _utf16(character))
    by_repr = f"{escape}x{ord(character):02x}|{escape}U{ord(character):08x}"
    if character == "\\":
        return rf"(?:{_BACKSLASH}{{{len(part)},}}|(?i:{in_json}|{by_repr}){{{len(part)}}})"
    short = f"|{escape}{_SHORT_ESCAPES[character]}" if character in _SHORT_ESCAPES else ""
    plain = re.escape(character) + (r"|\+|%(?:25)*2[Bb]" if character == " " else "")
    return rf"(?:{_BACKSLASH}*+(?:{plain}|(?i:{in_url}))|(?i:{in_json}|{by_repr}){short})"


def _utf16(character: str) -> tuple[int, ...]:
    """Give the one or two units with which JSON in ASCII writes a character."""
    units = character.encode("utf-16-be", "surrogatepass")
    return tuple(int.from_bytes(units[at : at + 2]) for at in range(0, len(units), 2))
