"""What pydantic finds wrong with a value, in words for people: what the value must be."""

from collections.abc import Mapping

_MUST_BE = {
    "bool_type": "true or false",
    "dict_type": "an object",
    "finite_number": "a number",
    "float_parsing": "a number",
    "float_type": "a number",
    "greater_than": "more than {gt:g}",
    "greater_than_equal": "at least {ge:g}",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "less_than_equal": "at most {le:g}",
    "list_type": "a list",
    "literal_error": "{expected}",
    "model_type": "an object",
    "string_type": "a text in double quotes",
}


def in_words(wrong: Mapping[str, object]) -> str:
    """Say what is wrong, of an error's details, by its kind; a validator of our own says it itself."""
    given = wrong.get("ctx")
    context = given if isinstance(given, Mapping) else {}
    if wrong["type"] == "value_error":
        return str(context["error"])
    must_be = _MUST_BE.get(str(wrong["type"]))
    return "it can't be read" if must_be is None else f"it must be {must_be.format(**context)}"
