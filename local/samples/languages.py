"""Sample code: the same call as an aliyun command line, and for the SDKs of Python, Node.js, Java and Go.

Each sample is whole and runs as it is. The credentials come from the SDK's own chain, so none are in it.
What the SDKs are called and how they are used: the packages themselves, ecs20140526 and the like.
"""

from dataclasses import dataclass

from local.samples.aliyun import aliyun
from local.samples.go import go
from local.samples.java import java
from local.samples.parts import CallSite
from local.samples.python import python
from local.samples.typed_call import TypedCall
from local.samples.typescript import typescript


@dataclass(frozen=True, slots=True)
class Sample:
    """`title`: which tool or SDK; `language`: of the text, as Markdown names it."""

    title: str
    language: str
    text: str


def samples(call: TypedCall, endpoint: str | None = None) -> tuple[Sample, ...]:
    """Write the call in each way; `endpoint` is `http(s)://host[:port]`, None the region's own."""
    site = CallSite.of(call, endpoint)
    return (
        Sample("aliyun command line", "sh", aliyun(call, site)),
        Sample("Python", "python", python(call, site)),
        Sample("Node.js / TypeScript", "typescript", typescript(call, site)),
        Sample("Java", "java", java(call, site)),
        Sample("Go", "go", go(call, site)),
    )
