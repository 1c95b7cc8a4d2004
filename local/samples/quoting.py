"""Text as a word of the shell and as a string of source code; what can't be seen is escaped."""

import shlex

_ESCAPES = {'"': r"\"", "\\": r"\\", "\n": r"\n", "\r": r"\r", "\t": r"\t"}
_LAST_OF_BMP = 0xFFFF
"""Beyond it a character has two code units in UTF-16, and a longer escape."""


def shell_word(text: str) -> str:
    """Quote a word for the shell; one with invisible characters in `$'…'`, as bash and zsh read it."""
    if text.isprintable():
        return shlex.quote(text)
    return "$'" + "".join(map(_in_shell, text)) + "'"


def _in_shell(character: str) -> str:
    if character in "'\\":
        return f"\\{character}"
    return character if character.isprintable() else f"\\U{ord(character):08x}"


def literal(text: str) -> str:
    r"""Write a string as Python and Go read it: in double quotes, with `\U0001f600`."""
    return f'"{"".join(_in_source(character) for character in text)}"'


def utf16_literal(text: str) -> str:
    r"""Write a string as JavaScript and Java read it: in double quotes, with `\ud83d\ude00`."""
    units = (unit for character in text for unit in _utf16(character))
    return f'"{"".join(map(_in_source, units))}"'


def _utf16(character: str) -> str:
    """Split an invisible character beyond 16 bits into its two surrogates."""
    if character.isprintable() or ord(character) <= _LAST_OF_BMP:
        return character
    high, low = divmod(ord(character) - _LAST_OF_BMP - 1, 0x400)
    return chr(0xD800 + high) + chr(0xDC00 + low)


def _in_source(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable():
        return character
    number = ord(character)
    return f"\\u{number:04x}" if number <= _LAST_OF_BMP else f"\\U{number:08x}"
