"""The products whose APIs a run calls, as their SDKs and the aliyun command line name them."""

from collections.abc import Callable
from dataclasses import dataclass

from function.cloud.fc import make_client
from function.model.credentials import Credentials
from function.settings import Settings
from local.api.names import ASSUME_ROLE, ECS_VERSION, FC_VERSION, INVOKE_FUNCTION, STS_VERSION


def _left_to_the_sdk(_region_id: str) -> str:
    return ""


def _host_of_fc(region_id: str) -> str:
    """Take the function's own, which is the SDK's for Python.

    Those for Node.js and Java have fc.aliyuncs.com for every region, where FC 3.0 is not.
    """
    host: str = make_client(region_id, Credentials(), None)._endpoint  # noqa: SLF001 - the SDK offers no other way
    return host


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """`code`: its name on the command line; `version`: of the API; `go_major`: of the Go module.

    `endpoint`: where the settings say to call it, `http(s)://host[:port]`; None: at the region's own.
    `host`: that of a region, empty where it is left to each SDK.
    """

    code: str
    version: str
    go_major: int
    endpoint: Callable[[Settings], str | None]
    host: Callable[[str], str] = _left_to_the_sdk

    @property
    def package(self) -> str:
        """The name that the packages for Python, Node.js and Java have in common, such as ecs20140526."""
        return self.code + self._date

    @property
    def go_module(self) -> str:
        """Where the module for Go is, below github.com/alibabacloud-go."""
        return f"{self.code}-{self._date}/v{self.go_major}"

    @property
    def _date(self) -> str:
        return self.version.replace("-", "")


_ECS = Product(code="ecs", version=ECS_VERSION, go_major=7, endpoint=lambda settings: settings.ecs_endpoint)
_OTHERS = {
    ASSUME_ROLE: Product(
        code="sts", version=STS_VERSION, go_major=2, endpoint=lambda settings: settings.sts_endpoint
    ),
    INVOKE_FUNCTION: Product(
        code="fc",
        version=FC_VERSION,
        go_major=4,
        endpoint=lambda settings: settings.fan_out_endpoint,
        host=_host_of_fc,
    ),
}


def product_of(action: str) -> Product:
    """Give the product that an action is of."""
    return _OTHERS.get(action, _ECS)
