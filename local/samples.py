"""Sample code: the same call as an aliyun command line, and for the SDKs of Python, Node.js, Java and Go.

Each sample is whole and runs as it is. The credentials come from the SDK's own chain, so none are in it.
What the SDKs are called and how they are used: the packages themselves, ecs20140526 in each language.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from pydantic.alias_generators import to_snake

from function.sts import ASSUME_ROLE
from local.quoting import literal, shell_word, utf16_literal
from local.typed_call import Record, TypedCall, Value

DRY_RUN_REMARK = "A dry run that passes is answered with the error code DryRunOperation."

_Text = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Sample:
    """`title`: which tool or SDK; `language`: of the text, as Markdown names it."""

    title: str
    language: str
    text: str


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a call goes; no host: the region's own endpoint, which every SDK knows."""

    region_id: str
    host: str
    protocol: str

    def settings(self) -> tuple[tuple[str, str], ...]:
        """Give what the SDKs' Config has to say, in their common CamelCase."""
        elsewhere = (("Endpoint", self.host), ("Protocol", self.protocol)) if self.host else ()
        return (("RegionId", self.region_id), *elsewhere)


def samples(call: TypedCall, endpoint: str | None = None) -> tuple[Sample, ...]:
    """Write the call in each way; `endpoint` is `http(s)://host[:port]`, None the region's own."""
    parts = urlsplit(endpoint or "")
    place = _Place(call.region_id, parts.netloc, parts.scheme.upper())
    return (
        Sample("aliyun command line", "sh", _aliyun(call, place)),
        Sample("Python", "python", _python(call, place)),
        Sample("Node.js / TypeScript", "typescript", _typescript(call, place)),
        Sample("Java", "java", _java(call, place)),
        Sample("Go", "go", _go(call, place)),
    )


def _lower_first(name: str) -> str:
    return name[0].lower() + name[1:]


def _is_dry_run(call: TypedCall) -> bool:
    return call.parameters.get("DryRun") is True


def _value(
    name: str, value: Value, text: _Text, record: Callable[[str, Record], str], brackets: str = "[]"
) -> str:
    """Write a parameter's value: `true` and `false`, numbers, text, lists in brackets."""
    if isinstance(value, tuple):
        items = ", ".join(text(item) if isinstance(item, str) else record(name, item) for item in value)
        return f"{brackets[:-1]}{items}{brackets[-1]}"
    return text(value) if isinstance(value, str) else str(value).lower()


def _aliyun(call: TypedCall, place: _Place) -> str:
    product = "sts" if call.action == ASSUME_ROLE else "ecs"
    words = [f"aliyun {product} {call.action} --region {shell_word(place.region_id)}"]
    if place.host:
        words.append(
            f"--endpoint {shell_word(place.host)}" + (" --insecure" if place.protocol == "HTTP" else "")
        )
    words += [f"--{name} {shell_word(text)}" for name, text in call.flat()]
    remark = f"# {DRY_RUN_REMARK}\n" if _is_dry_run(call) else ""
    return remark + " \\\n    ".join(words) + "\n"


def _python(call: TypedCall, place: _Place) -> str:
    def record(name: str, fields: Record) -> str:
        given = ", ".join(f"{to_snake(field)}={literal(text)}" for field, text in fields.items())
        return f"models.{call.action}Request{name}({given})"

    def argument(name: str, value: Value) -> str:
        shown = str(value) if isinstance(value, bool) else _value(name, value, literal, record)
        return f"        {to_snake(name)}={shown},\n"

    config = "".join(f"        {to_snake(name)}={literal(text)},\n" for name, text in place.settings())
    arguments = "".join(argument(name, value) for name, value in call.parameters.items())
    remark = f"# {DRY_RUN_REMARK}\n" if _is_dry_run(call) else ""
    return f"""\
# pip install alibabacloud_ecs20140526 alibabacloud_credentials
from alibabacloud_credentials.client import Client as Credential
from alibabacloud_ecs20140526 import models
from alibabacloud_ecs20140526.client import Client
from alibabacloud_tea_openapi.models import Config

client = Client(
    Config(
        credential=Credential(),
{config}    )
)
{remark}response = client.{to_snake(call.action)}(
    models.{call.action}Request(
{arguments}    )
)
print(response.body.to_map())
"""


def _typescript(call: TypedCall, place: _Place) -> str:
    def record(name: str, fields: Record) -> str:
        given = ", ".join(f"{_lower_first(field)}: {utf16_literal(text)}" for field, text in fields.items())
        return f"new ecs.{call.action}Request{name}({{ {given} }})"

    config = "".join(
        f"      {_lower_first(name)}: {utf16_literal(text)},\n" for name, text in place.settings()
    )
    arguments = "".join(
        f"      {_lower_first(name)}: {_value(name, value, utf16_literal, record)},\n"
        for name, value in call.parameters.items()
    )
    remark = f"  // {DRY_RUN_REMARK}\n" if _is_dry_run(call) else ""
    return f"""\
// npm install @alicloud/ecs20140526 @alicloud/openapi-core @alicloud/credentials
// npx tsx sample.ts
import Credential from "@alicloud/credentials";
import Client, * as ecs from "@alicloud/ecs20140526";
import {{ $OpenApiUtil }} from "@alicloud/openapi-core";

async function main() {{
  const client = new Client(
    new $OpenApiUtil.Config({{
      credential: new Credential(),
{config}    }}),
  );
{remark}  const response = await client.{_lower_first(call.action)}(
    new ecs.{call.action}Request({{
{arguments}    }}),
  );
  console.log(response.body);
}}

main().catch((error) => {{
  console.error(error);
  process.exitCode = 1;
}});
"""


def _setters(call: TypedCall, value: Callable[[str, Value], str]) -> Iterator[str]:
    return (f"Set{name}({value(name, given)})" for name, given in call.parameters.items())


def _java(call: TypedCall, place: _Place) -> str:
    def record(name: str, fields: Record) -> str:
        set_ = "".join(f".set{field}({utf16_literal(text)})" for field, text in fields.items())
        return f"new {call.action}Request.{call.action}Request{name}(){set_}"

    def value(name: str, given: Value) -> str:
        return _value(name, given, utf16_literal, record, "java.util.Arrays.asList()")

    method = _lower_first(call.action)
    config = "".join(f"\n            .set{name}({utf16_literal(text)})" for name, text in place.settings())
    setters = "".join(f"\n            .{_lower_first(setter)}" for setter in _setters(call, value))
    remark = f"        // {DRY_RUN_REMARK}\n" if _is_dry_run(call) else ""
    return f"""\
// Maven: com.aliyun:ecs20140526 and com.aliyun:credentials-java
import com.aliyun.ecs20140526.Client;
import com.aliyun.ecs20140526.models.*;
import com.aliyun.teaopenapi.models.Config;

public class Sample {{
    public static void main(String[] args) throws Exception {{
        Client client = new Client(new Config()
            .setCredential(new com.aliyun.credentials.Client()){config});
{remark}        {call.action}Response response = client.{method}(new {call.action}Request(){setters});
        System.out.println(response.getBody().toMap());
    }}
}}
"""


def _go(call: TypedCall, place: _Place) -> str:
    def pointer(text: str) -> str:
        return f"dara.String({literal(text)})"

    def record(name: str, fields: Record) -> str:
        set_ = "".join(f".Set{field}({literal(text)})" for field, text in fields.items())
        return f"new(ecs.{call.action}Request{name}){set_}"

    def value(name: str, given: Value) -> str:
        if isinstance(given, tuple):
            kind = "*string" if isinstance(given[0], str) else f"*ecs.{call.action}Request{name}"
            return _value(name, given, pointer, record, f"[]{kind}{{}}")
        return _value(name, given, literal, record)

    config = ".\n\t\t".join(f"Set{name}({literal(text)})" for name, text in place.settings())
    setters = ".\n\t\t".join(_setters(call, value))
    dara = '\t"github.com/alibabacloud-go/tea/dara"\n' if "dara.String(" in setters else ""
    remark = f"\t// {DRY_RUN_REMARK}\n" if _is_dry_run(call) else ""
    return f"""\
// go get github.com/alibabacloud-go/ecs-20140526/v7 github.com/aliyun/credentials-go
package main

import (
\t"fmt"

\topenapi "github.com/alibabacloud-go/darabonba-openapi/v2/utils"
\tecs "github.com/alibabacloud-go/ecs-20140526/v7/client"
{dara}\t"github.com/aliyun/credentials-go/credentials"
)

func main() {{
\tcredential, err := credentials.NewCredential(nil)
\tif err != nil {{
\t\tpanic(err)
\t}}
\tclient, err := ecs.NewClient(new(openapi.Config).
\t\tSetCredential(credential).
\t\t{config})
\tif err != nil {{
\t\tpanic(err)
\t}}
{remark}\tresponse, err := client.{call.action}(new(ecs.{call.action}Request).
\t\t{setters})
\tif err != nil {{
\t\tpanic(err)
\t}}
\tfmt.Println(response.Body)
}}
"""
