"""The products whose APIs a run calls, as their SDKs and the aliyun command line name them."""

from dataclasses import dataclass

from local.actions import VERSION as ECS_VERSION
from local.functions_api import INVOKE_FUNCTION
from local.functions_api import VERSION as FC_VERSION
from local.sts import ASSUME_ROLE
from local.sts import VERSION as STS_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """`code`: its name on the command line; `version`: of the API; `go_major`: of the Go module.

    `endpoint_setting`: says where the function calls it, if not at the region's own endpoint.
    `endpoint`: the form of the regions' own endpoints where not every SDK knows them, else empty.
    """

    code: str
    version: str
    go_major: int
    endpoint_setting: str
    endpoint: str = ""

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


_ECS = Product(code="ecs", version=ECS_VERSION, go_major=7, endpoint_setting="ECS_ENDPOINT")
_STS = Product(code="sts", version=STS_VERSION, go_major=2, endpoint_setting="STS_ENDPOINT")
_FC = Product(
    code="fc",
    version=FC_VERSION,
    go_major=4,
    endpoint_setting="FAN_OUT_ENDPOINT",
    # The aliyun command line's own list. The SDKs for Node.js and Java take fc.aliyuncs.com in every region,
    # and those for Python and Go have a tab in that of ap-southeast-5.
    endpoint="fcv3.{region_id}.aliyuncs.com",
)
_OTHERS = {ASSUME_ROLE: _STS, INVOKE_FUNCTION: _FC}


def product_of(action: str) -> Product:
    """Give the product that an action is of."""
    return _OTHERS.get(action, _ECS)
