"""The same call with the SDK for Go."""

from collections.abc import Iterable, Mapping

from local.api.products import product_of
from local.samples.parts import BODY, CallSite, remark, setters, written
from local.samples.quoting import literal
from local.samples.typed_call import Record, TypedCall, Value


def go(call: TypedCall, site: CallSite) -> str:
    """Write a whole program that makes the call and prints the answer."""
    product = product_of(call.action)

    def pointer(text: str) -> str:
        return f"dara.String({literal(text)})"

    def record(name: str, fields: Record) -> str:
        set_ = "".join(f".Set{field}({literal(text)})" for field, text in fields.items())
        return f"new({product.code}.{call.action}Request{name}){set_}"

    def write(name: str, value: Value) -> str:
        if isinstance(value, tuple):
            kind = "*string" if isinstance(value[0], str) else f"*{product.code}.{call.action}Request{name}"
            return written(name, value, pointer, record, f"[]{kind}{{}}")
        shown = written(name, value, literal, record)
        return f"strings.NewReader({shown})" if name == BODY else shown

    def chain(made: str, then: Iterable[str]) -> str:
        return ".\n\t\t".join([made, *then])

    def model(kind: str, parameters: Mapping[str, Value]) -> str:
        return chain(f"new({product.code}.{call.action}{kind})", setters(parameters, write))

    config = chain("new(openapi.Config)", ["SetCredential(credential)", *setters(site.settings(), write)])
    method, arguments, shown = call.action, model("Request", call.request), "response.Body"
    if call.in_path:
        method += "WithOptions"
        headers, runtime = model("Headers", call.headers), "new(dara.RuntimeOptions)"
        arguments = ",\n\t\t".join([*map(pointer, call.in_path), arguments, headers, runtime])
        shown = "dara.Prettify(response.Headers)"  # a map of pointers, which Println would print as such
    texts = [
        value for value in call.request.values() if isinstance(value, tuple) and isinstance(value[0], str)
    ]
    of_go = '\t"fmt"\n' + ('\t"strings"\n' if BODY in call.request else "")
    dara = '\t"github.com/alibabacloud-go/tea/dara"\n' if texts or call.in_path else ""
    return f"""\
// go mod init sample && go mod tidy && go run .
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
{remark(call, chr(9) + "//")}\tresponse, err := client.{method}({arguments})
\tif err != nil {{
\t\tpanic(err)
\t}}
\tfmt.Println({shown})
}}
"""
