"""Sample code: the same call as an aliyun command line, and for the SDKs of Python, Node.js, Java and Go.

Each sample is whole and runs as it is; the text of each language is its template beside this module. The
credentials come from the SDK's own chain, so none are in it. What the SDKs are called and how they are used:
the packages themselves, ecs20140526 and the like. The forms of the command line: aliyun-cli's README, and its
parser of arguments.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import quote, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from pydantic.alias_generators import to_snake

from local.api.names import ASSUME_ROLE, INVOKE_FUNCTION
from local.api.products import product_of
from local.samples.quoting import literal, shell_word, utf16_literal
from local.samples.typed_call import TypedCall

_LANGUAGES = (
    ("Python", "python"),
    ("Node.js / TypeScript", "typescript"),
    ("Java", "java"),
    ("Go", "go"),
)
"""Each SDK, and its language as Markdown and the template's file name it."""


@dataclass(frozen=True, slots=True)
class Sample:
    """`title`: which tool or SDK; `language`: of the text, as Markdown names it."""

    title: str
    language: str
    text: str


def samples(call: TypedCall, endpoint: str | None = None) -> tuple[Sample, ...]:
    """Write the call in each way; `endpoint` is `http(s)://host[:port]`, None the region's own."""
    config = _config(call, endpoint)
    command = Sample("aliyun command line", "sh", _aliyun(call, config))
    return (command, *(Sample(title, name, _program(name, call, config)) for title, name in _LANGUAGES))


def _config(call: TypedCall, endpoint: str | None) -> Mapping[str, str]:
    """Give what the SDKs' Config has to say, in their common CamelCase; without Protocol it is HTTPS."""
    parts = urlsplit(endpoint or "")
    protocol = "HTTP" if parts.scheme == "http" else ""
    given = {"RegionId": call.region_id, "Endpoint": parts.netloc, "Protocol": protocol}
    return {name: text for name, text in given.items() if text}


def _program(language: str, call: TypedCall, config: Mapping[str, str]) -> str:
    """Write a whole program that makes the call and prints the answer."""
    template = _environment().get_template(f"{language}.jinja")
    return template.render(call=call, config=config, product=product_of(call.action), remark=_remark(call))


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - it is source code; the filters quote each text
    )
    environment.filters |= {
        "snake": to_snake,
        "camel": _camel,
        "lower_first": _lower_first,
        "literal": literal,
        "utf16_literal": utf16_literal,
    }
    return environment


def _camel(name: str) -> str:
    """Write a name as setters do: `InstanceId`, `XFcInvocationType`, `Body`."""
    return "".join(word[0].upper() + word[1:] for word in name.split("-"))


def _lower_first(name: str) -> str:
    """Write a name as methods do: `stopInstance`."""
    return name[0].lower() + name[1:]


def _remark(call: TypedCall) -> str | None:
    """Say what may surprise."""
    if call.parameters.get("DryRun") is True:
        return "A dry run that passes is answered with the error code DryRunOperation."
    if call.action == ASSUME_ROLE:
        return "The answer holds a key and its secret: show it to nobody."
    if call.action == INVOKE_FUNCTION:
        return "FC answers with an id once it has the event; the function runs later."
    return None


def _aliyun(call: TypedCall, config: Mapping[str, str]) -> str:
    """Write the command line with a parameter a line."""
    product = product_of(call.action)
    if call.in_path:
        what = f"POST {shell_word(f'/{product.version}/functions/{quote(*call.in_path)}/invocations')}"
        given = [("header", f"{name}={value}") for name, value in call.headers.items()]
        given += [(name, str(value)) for name, value in call.request.items()]
    else:
        what, given = call.action, list(call.flat())
    words = [f"aliyun {product.code} {what} --region {shell_word(call.region_id)}"]
    if "Endpoint" in config:
        insecure = " --insecure" if config.get("Protocol") == "HTTP" else ""
        words.append(f"--endpoint {shell_word(config['Endpoint'])}{insecure}")
    words += [_flag(name, text) for name, text in given]
    remark = _remark(call)
    return (f"# {remark}\n" if remark else "") + " \\\n    ".join(words) + "\n"


def _flag(name: str, text: str) -> str:
    """Write a parameter; a value that begins like a flag is taken for one unless it is joined to the name."""
    return f"--{name}{'=' if text.startswith('-') else ' '}{shell_word(text)}"
