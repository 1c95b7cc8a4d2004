"""The same call as an aliyun command line. Its forms: aliyun-cli's README, and its parser of arguments."""

from urllib.parse import quote

from local.api.products import product_of
from local.samples.parts import CallSite, remark
from local.samples.quoting import shell_word
from local.samples.typed_call import TypedCall


def aliyun(call: TypedCall, site: CallSite) -> str:
    """Write it with a parameter a line."""
    product = product_of(call.action)
    if call.in_path:
        what = f"POST {shell_word(f'/{product.version}/functions/{quote(*call.in_path)}/invocations')}"
        given = [("header", f"{name}={value}") for name, value in call.headers.items()]
        given += [(name, str(value)) for name, value in call.request.items()]
    else:
        what, given = call.action, list(call.flat())
    words = [f"aliyun {product.code} {what} --region {shell_word(site.region_id)}"]
    if site.host:
        words.append(
            f"--endpoint {shell_word(site.host)}" + (" --insecure" if site.protocol == "HTTP" else "")
        )
    words += [_flag(name, text) for name, text in given]
    return remark(call, "#") + " \\\n    ".join(words) + "\n"


def _flag(name: str, text: str) -> str:
    """Write a parameter; a value that begins like a flag is taken for one unless it is joined to the name."""
    return f"--{name}{'=' if text.startswith('-') else ' '}{shell_word(text)}"
