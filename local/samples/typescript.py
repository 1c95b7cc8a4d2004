"""The same call with the SDK for Node.js, in TypeScript."""

from collections.abc import Mapping

from local.api.products import product_of
from local.samples.parts import BODY, CallSite, camel, lower_first, remark, written
from local.samples.quoting import utf16_literal
from local.samples.typed_call import Record, TypedCall, Value


def typescript(call: TypedCall, site: CallSite) -> str:
    """Write a whole program that makes the call and prints the answer."""
    product = product_of(call.action)

    def record(name: str, fields: Record) -> str:
        given = ", ".join(f"{lower_first(field)}: {utf16_literal(text)}" for field, text in fields.items())
        return f"new {product.code}.{call.action}Request{name}({{ {given} }})"

    def line(name: str, value: Value) -> str:
        shown = written(name, value, utf16_literal, record)
        shown = f"Readable.from([Buffer.from({shown})])" if name == BODY else shown
        return f"      {lower_first(camel(name))}: {shown},\n"

    def model(kind: str, parameters: Mapping[str, Value]) -> str:
        lines = "".join(line(name, value) for name, value in parameters.items())
        return f"new {product.code}.{call.action}{kind}({{\n{lines}    }})"

    config = "".join(line(name, text) for name, text in site.settings().items())
    method, arguments, shown = lower_first(call.action), [model("Request", call.request)], "body"
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
{remark(call, "  //")}  const response = await client.{method}(
{given}  );
  console.log(response.{shown});
}}

main().catch((error) => {{
  console.error(error);
  process.exitCode = 1;
}});
"""
