"""The same call with the SDK for Python."""

from collections.abc import Mapping

from pydantic.alias_generators import to_snake

from local.api.products import product_of
from local.samples.parts import CallSite, remark, written
from local.samples.quoting import literal
from local.samples.typed_call import Record, TypedCall, Value


def python(call: TypedCall, site: CallSite) -> str:
    """Write a whole program that makes the call and prints the answer."""

    def record(name: str, fields: Record) -> str:
        given = ", ".join(f"{to_snake(field)}={literal(text)}" for field, text in fields.items())
        return f"models.{call.action}Request{name}({given})"

    def line(name: str, value: Value, indent: int) -> str:
        shown = str(value) if isinstance(value, bool) else written(name, value, literal, record)
        return f"{' ' * indent}{to_snake(name)}={shown},\n"

    def model(kind: str, parameters: Mapping[str, Value]) -> str:
        lines = "".join(line(name, value, 8) for name, value in parameters.items())
        return f"models.{call.action}{kind}(\n{lines}    )"

    product = product_of(call.action)
    config = "".join(line(name, text, 8) for name, text in site.settings().items())
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
{remark(call, "#")}response = client.{method}(
{given})
print(response.{shown})
"""
