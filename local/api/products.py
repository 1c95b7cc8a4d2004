"""The products whose APIs a run calls, as their SDKs and the aliyun command line name them."""

from dataclasses import dataclass

from local.api.names import ASSUME_ROLE, ECS_VERSION, FC_VERSION, INVOKE_FUNCTION, STS_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """`code`: its name on the command line; `version`: of the API; `go_major`: of the Go module."""

    code: str
    version: str
    go_major: int

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


_ECS = Product(code="ecs", version=ECS_VERSION, go_major=7)
_OTHERS = {
    ASSUME_ROLE: Product(code="sts", version=STS_VERSION, go_major=2),
    INVOKE_FUNCTION: Product(code="fc", version=FC_VERSION, go_major=4),
}


def product_of(action: str) -> Product:
    """Give the product that an action is of."""
    return _OTHERS.get(action, _ECS)
