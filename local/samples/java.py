"""The same call with the SDK for Java."""

from collections.abc import Iterable, Mapping

from local.api.products import product_of
from local.samples.parts import BODY, CallSite, lower_first, remark, setters, written
from local.samples.quoting import utf16_literal
from local.samples.typed_call import Record, TypedCall, Value

_LONGS = frozenset({"DurationSeconds"})
"""The numbers that have 64 bits."""


def java(call: TypedCall, site: CallSite) -> str:
    """Write a whole program that makes the call and prints the answer."""

    def record(name: str, fields: Record) -> str:
        set_ = "".join(f".set{field}({utf16_literal(text)})" for field, text in fields.items())
        return f"new {call.action}Request.{call.action}Request{name}(){set_}"

    def write(name: str, value: Value) -> str:
        shown = written(name, value, utf16_literal, record, "java.util.Arrays.asList()")
        if name == BODY:
            return (
                f"new java.io.ByteArrayInputStream({shown}.getBytes(java.nio.charset.StandardCharsets.UTF_8))"
            )
        return f"{shown}L" if name in _LONGS else shown

    def chain(then: Iterable[str]) -> str:
        return "".join(f"\n            .{lower_first(each)}" for each in then)

    def model(kind: str, parameters: Mapping[str, Value]) -> str:
        return f"new {call.action}{kind}(){chain(setters(parameters, write))}"

    product = product_of(call.action)
    config = chain(setters(site.settings(), write))
    method, arguments, shown = lower_first(call.action), model("Request", call.request), "getBody().toMap()"
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
{remark(call, "        //")}        {call.action}Response response = client.{method}({arguments});
        System.out.println(response.{shown});
    }}
}}
"""
