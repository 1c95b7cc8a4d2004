"""Sample code: the same call as an aliyun command line, and for the SDKs of Python, Node.js, Java and Go.

Each sample is whole and runs as it is. The credentials come from the SDK's own chain, so none are in it.
What the SDKs are called and how they are used: the packages themselves, ecs20140526 and the like.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import quote, urlsplit

from pydantic.alias_generators import to_snake

from function.fc import INVOKE_FUNCTION
from function.sts import ASSUME_ROLE
from local.products import product_of
from local.quoting import literal, shell_word, utf16_literal
from local.typed_call import Record, TypedCall, Value

_BODY = "body"
"""The parameter that is no text for most SDKs, but a stream."""

_LONGS = frozenset({"DurationSeconds"})
"""The numbers that have 64 bits in Java."""

_Text = Callable[[str], str]
_Write = Callable[[str, Value], str]
"""Writes the value of a parameter of this name."""


@dataclass(frozen=True, slots=True)
class Sample:
    """`title`: which tool or SDK; `language`: of the text, as Markdown names it."""

    title: str
    language: str
    text: str


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a call goes; no host: the region's own endpoint, which every SDK knows. No protocol: HTTPS."""

    region_id: str
    host: str
    protocol: str

    @classmethod
    def of(cls, call: TypedCall, endpoint: str | None) -> Self:
        """Take the endpoint, `http(s)://host[:port]`, or the region's own."""
        if endpoint:
            parts = urlsplit(endpoint)
            return cls(call.region_id, parts.netloc, parts.scheme.upper())
        own = product_of(call.action).endpoint
        return cls(call.region_id, own.format(region_id=call.region_id), "")

    def settings(self) -> tuple[tuple[str, str], ...]:
        """Give what the SDKs' Config has to say, in their common CamelCase."""
        given = (("RegionId", self.region_id), ("Endpoint", self.host), ("Protocol", self.protocol))
        return tuple((name, text) for name, text in given if text)


def samples(call: TypedCall, endpoint: str | None = None) -> tuple[Sample, ...]:
    """Write the call in each way; `endpoint` is `http(s)://host[:port]`, None the region's own."""
    place = _Place.of(call, endpoint)
    return (
        Sample("aliyun command line", "sh", _aliyun(call, place)),
        Sample("Python", "python", _python(call, place)),
        Sample("Node.js / TypeScript", "typescript", _typescript(call, place)),
        Sample("Java", "java", _java(call, place)),
        Sample("Go", "go", _go(call, place)),
    )


def _camel(name: str) -> str:
    """Write a name as setters do: `InstanceId`, `XFcInvocationType`, `Body`."""
    return "".join(word[0].upper() + word[1:] for word in name.split("-"))


def _lower_first(name: str) -> str:
    return name[0].lower() + name[1:]


def _remark(call: TypedCall, mark: str) -> str:
    """Say what may surprise, as a line of comment."""
    if call.parameters.get("DryRun") is True:
        return f"{mark} A dry run that passes is answered with the error code DryRunOperation.\n"
    if call.action == ASSUME_ROLE:
        return f"{mark} The answer holds a key and its secret: show it to nobody.\n"
    if call.action == INVOKE_FUNCTION:
        return f"{mark} FC answers with an id once it has the event; the function runs later.\n"
    return ""


def _value(
    name: str, value: Value, text: _Text, record: Callable[[str, Record], str], brackets: str = "[]"
) -> str:
    """Write a parameter's value: `true` and `false`, numbers, text, lists in brackets."""
    if isinstance(value, tuple):
        items = ", ".join(text(item) if isinstance(item, str) else record(name, item) for item in value)
        return f"{brackets[:-1]}{items}{brackets[-1]}"
    return text(value) if isinstance(value, str) else str(value).lower()


def _aliyun(call: TypedCall, place: _Place) -> str:
    product = product_of(call.action)
    if call.in_path:
        what = f"POST {shell_word(f'/{product.version}/functions/{quote(*call.in_path)}/invocations')}"
        given = [("header", f"{name}={value}") for name, value in call.headers.items()]
        given += [(name, str(value)) for name, value in call.request.items()]
    else:
        what, given = call.action, list(call.flat())
    words = [f"aliyun {product.code} {what} --region {shell_word(place.region_id)}"]
    if place.host:
        words.append(
            f"--endpoint {shell_word(place.host)}" + (" --insecure" if place.protocol == "HTTP" else "")
        )
    words += [f"--{name} {shell_word(text)}" for name, text in given]
    return _remark(call, "#") + " \\\n    ".join(words) + "\n"


def _python(call: TypedCall, place: _Place) -> str:
    def record(name: str, fields: Record) -> str:
        given = ", ".join(f"{to_snake(field)}={literal(text)}" for field, text in fields.items())
        return f"models.{call.action}Request{name}({given})"

    def line(name: str, value: Value, indent: int) -> str:
        shown = str(value) if isinstance(value, bool) else _value(name, value, literal, record)
        return f"{' ' * indent}{to_snake(name)}={shown},\n"

    def model(kind: str, parameters: Mapping[str, Value]) -> str:
        lines = "".join(line(name, value, 8) for name, value in parameters.items())
        return f"models.{call.action}{kind}(\n{lines}    )"

    product = product_of(call.action)
    config = "".join(line(name, text, 8) for name, text in place.settings())
    method, arguments, shown = to_snake(call.action), [model("Request", call.request)], "body.to_map()"
    runtime = ""
    if call.in_path:
        method += "_with_options"
        arguments = [
            *map(literal, call.in_path),
            *arguments,
            model("Headers", call.headers),
            "RuntimeOptions()",
        ]
        shown = "headers"
        runtime = "from darabonba.runtime import RuntimeOptions\n"
    given = "".join(f"    {argument},\n" for argument in arguments)
    return f"""\
# pip install alibabacloud_{product.package} alibabacloud_credentials
from alibabacloud_credentials.client import Client as Credential
from alibabacloud_{product.package} import models
from alibabacloud_{product.package}.client import Client
from alibabacloud_tea_openapi.models import Config
{runtime}
client = Client(
    Config(
        credential=Credential(),
{config}    )
)
{_remark(call, "#")}response = client.{method}(
{given})
print(response.{shown})
"""


def _typescript(call: TypedCall, place: _Place) -> str:
    product = product_of(call.action)

    def record(name: str, fields: Record) -> str:
        given = ", ".join(f"{_lower_first(field)}: {utf16_literal(text)}" for field, text in fields.items())
        return f"new {product.code}.{call.action}Request{name}({{ {given} }})"

    def line(name: str, value: Value) -> str:
        shown = _value(name, value, utf16_literal, record)
        shown = f"Readable.from([Buffer.from({shown})])" if name == _BODY else shown
        return f"      {_lower_first(_camel(name))}: {shown},\n"

    def model(kind: str, parameters: Mapping[str, Value]) -> str:
        lines = "".join(line(name, value) for name, value in parameters.items())
        return f"new {product.code}.{call.action}{kind}({{\n{lines}    }})"

    config = "".join(line(name, text) for name, text in place.settings())
    method, arguments, shown = _lower_first(call.action), [model("Request", call.request)], "body"
    packages, readable, runtime = "", "", ""
    if call.in_path:
        method += "WithOptions"
        arguments = [
            *map(utf16_literal, call.in_path),
            *arguments,
            model("Headers", call.headers),
            "new RuntimeOptions()",
        ]
        shown = "headers"
        packages = " @darabonba/typescript"
        readable = 'import { Readable } from "node:stream";\n'
        runtime = 'import { RuntimeOptions } from "@darabonba/typescript";\n'
    given = "".join(f"    {argument},\n" for argument in arguments)
    return f"""\
// npm install @alicloud/{product.package} @alicloud/openapi-core @alicloud/credentials{packages}
// npx tsx sample.ts
{readable}import Credential from "@alicloud/credentials";
import Client, * as {product.code} from "@alicloud/{product.package}";
import {{ $OpenApiUtil }} from "@alicloud/openapi-core";
{runtime}
async function main() {{
  const client = new Client(
    new $OpenApiUtil.Config({{
      credential: new Credential(),
{config}    }}),
  );
{_remark(call, "  //")}  const response = await client.{method}(
{given}  );
  console.log(response.{shown});
}}

main().catch((error) => {{
  console.error(error);
  process.exitCode = 1;
}});
"""


def _setters(parameters: Mapping[str, Value], write: _Write) -> Iterator[str]:
    return (f"Set{_camel(name)}({write(name, value)})" for name, value in parameters.items())


def _java(call: TypedCall, place: _Place) -> str:
    def record(name: str, fields: Record) -> str:
        set_ = "".join(f".set{field}({utf16_literal(text)})" for field, text in fields.items())
        return f"new {call.action}Request.{call.action}Request{name}(){set_}"

    def write(name: str, value: Value) -> str:
        shown = _value(name, value, utf16_literal, record, "java.util.Arrays.asList()")
        if name == _BODY:
            return (
                f"new java.io.ByteArrayInputStream({shown}.getBytes(java.nio.charset.StandardCharsets.UTF_8))"
            )
        return f"{shown}L" if name in _LONGS else shown

    def chain(setters: Iterable[str]) -> str:
        return "".join(f"\n            .{_lower_first(setter)}" for setter in setters)

    def model(kind: str, parameters: Mapping[str, Value]) -> str:
        return f"new {call.action}{kind}(){chain(_setters(parameters, write))}"

    product = product_of(call.action)
    config = chain(_setters(dict(place.settings()), write))
    method, arguments, shown = _lower_first(call.action), model("Request", call.request), "getBody().toMap()"
    if call.in_path:
        method += "WithOptions"
        headers, runtime = model("Headers", call.headers), "new com.aliyun.teautil.models.RuntimeOptions()"
        arguments = ",\n            ".join([*map(utf16_literal, call.in_path), arguments, headers, runtime])
        shown = "getHeaders()"
    return f"""\
// Maven: com.aliyun:{product.package} and com.aliyun:credentials-java
import com.aliyun.{product.package}.Client;
import com.aliyun.{product.package}.models.*;
import com.aliyun.teaopenapi.models.Config;

public class Sample {{
    public static void main(String[] args) throws Exception {{
        Client client = new Client(new Config()
            .setCredential(new com.aliyun.credentials.Client()){config});
{_remark(call, "        //")}        {call.action}Response response = client.{method}({arguments});
        System.out.println(response.{shown});
    }}
}}
"""


def _go(call: TypedCall, place: _Place) -> str:
    product = product_of(call.action)

    def pointer(text: str) -> str:
        return f"dara.String({literal(text)})"

    def record(name: str, fields: Record) -> str:
        set_ = "".join(f".Set{field}({literal(text)})" for field, text in fields.items())
        return f"new({product.code}.{call.action}Request{name}){set_}"

    def write(name: str, value: Value) -> str:
        if isinstance(value, tuple):
            kind = "*string" if isinstance(value[0], str) else f"*{product.code}.{call.action}Request{name}"
            return _value(name, value, pointer, record, f"[]{kind}{{}}")
        shown = _value(name, value, literal, record)
        return f"strings.NewReader({shown})" if name == _BODY else shown

    def chain(made: str, setters: Iterable[str]) -> str:
        return ".\n\t\t".join([made, *setters])

    def model(kind: str, parameters: Mapping[str, Value]) -> str:
        return chain(f"new({product.code}.{call.action}{kind})", _setters(parameters, write))

    config = chain(
        "new(openapi.Config)", ["SetCredential(credential)", *_setters(dict(place.settings()), write)]
    )
    method, arguments, shown = call.action, model("Request", call.request), "response.Body"
    if call.in_path:
        method += "WithOptions"
        headers, runtime = model("Headers", call.headers), "new(dara.RuntimeOptions)"
        arguments = ",\n\t\t".join([*map(pointer, call.in_path), arguments, headers, runtime])
        shown = "dara.Prettify(response.Headers)"  # a map of pointers, which Println would print as such
    of_go = '\t"fmt"\n' + ('\t"strings"\n' if "strings.NewReader(" in arguments else "")
    dara = '\t"github.com/alibabacloud-go/tea/dara"\n' if "dara." in arguments else ""
    return f"""\
// go get github.com/alibabacloud-go/{product.go_module} github.com/aliyun/credentials-go
package main

import (
{of_go}
\topenapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
\t{product.code} "github.com/alibabacloud-go/{product.go_module}/client"
{dara}\t"github.com/aliyun/credentials-go/credentials"
)

func main() {{
\tcredential, err := credentials.NewCredential(nil)
\tif err != nil {{
\t\tpanic(err)
\t}}
\tclient, err := {product.code}.NewClient({config})
\tif err != nil {{
\t\tpanic(err)
\t}}
{_remark(call, chr(9) + "//")}\tresponse, err := client.{method}({arguments})
\tif err != nil {{
\t\tpanic(err)
\t}}
\tfmt.Println({shown})
}}
"""
