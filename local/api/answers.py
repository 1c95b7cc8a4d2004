"""Writes an answer's body as JSON or XML, in the form of ECS's samples."""

import json
import re
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

JSON_TYPE = "application/json;charset=utf-8"
XML_TYPE = "text/xml;charset=utf-8"
# What XML 1.0 can't hold, not even escaped.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def to_json(body: dict[str, Any]) -> str:
    """Write `{"RequestId":"…"}`."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def to_xml(root: str, body: dict[str, Any]) -> str:
    """Write `<StopInstanceResponse><RequestId>…`; of a list, each item under the list's own name."""
    element = Element(root)
    _fill(element, body)
    return tostring(element, encoding="unicode", short_empty_elements=False)


def _fill(element: Element, value: object) -> None:
    match value:
        case dict():
            for name, inner in value.items():
                for item in inner if isinstance(inner, list) else [inner]:
                    _fill(SubElement(element, name), item)
        case list():  # in a list; ECS has none
            _fill(element, {element.tag: value})
        case bool():
            element.text = str(value).lower()
        case _:
            element.text = _NOT_XML.sub("\ufffd", str(value))
