"""The official SDK, loaded lightly: its generic client and the few ECS request models the function sends.

`alibabacloud_ecs20140526.client` is not loaded: it is 2 MB of source for methods that do no more than
call the generic client, and its `models` package imports 1,150 modules. What else is not: `lazy_imports`.
"""

import logging
from dataclasses import field
from typing import Self
from urllib.parse import urlsplit

from function.cloud.lazy_imports import importing_lazily
from function.cloud.transport import make_adapter
from function.model.credentials import Credentials
from function.model.frozen import frozen

_ENDPOINTS = {
    "ecs-cn-hangzhou.aliyuncs.com": (
        "cn-hangzhou cn-shanghai-finance-1 cn-shenzhen-finance-1 cn-beijing-nu16-b01 cn-fujian "
        "cn-haidian-cm12-c01 cn-hangzhou-bj-b01 cn-hangzhou-internal-prod-1 cn-hangzhou-internal-test-1 "
        "cn-hangzhou-internal-test-2 cn-hangzhou-internal-test-3 cn-hangzhou-test-306 cn-shanghai-et15-b01 "
        "cn-shanghai-et2-b01 cn-shanghai-internal-test-1 cn-shenzhen-st4-d01 cn-shenzhen-su18-b01 "
        "cn-zhangbei-na61-b01"
    ),
    "ecs.aliyuncs.com": (
        "cn-north-2-gov-1 ap-northeast-2-pop cn-beijing-finance-pop cn-beijing-gov-1 cn-hangzhou-finance "
        "cn-hongkong-finance-pop cn-shanghai-inner cn-shenzhen-inner cn-wuhan cn-yushanfang cn-zhangbei "
        "rus-west-1-pop"
    ),
    "ecs.cn-qingdao-nebula.aliyuncs.com": "cn-edge-1 cn-huhehaote-nebula-1 cn-zhengzhou-nebula-1",
    "ecs.cn-shenzhen-cloudstone.aliyuncs.com": "eu-west-1-oxs",
    "ecs.cn-zhangjiakou.aliyuncs.com": "cn-zhangjiakou-na62-a01",
}
"""The regions that leave the rule, by endpoint: what the ECS client knows and the generic one does not."""

ECS_VERSION = "2014-05-26"
"""Of ECS's API, which StopInstance belongs to."""

_EXCEPTIONS = {region: endpoint for endpoint, regions in _ENDPOINTS.items() for region in regions.split()}


with importing_lazily():
    from alibabacloud_ecs20140526.models._describe_instance_types_request import DescribeInstanceTypesRequest
    from alibabacloud_ecs20140526.models._describe_instances_request import (
        DescribeInstancesRequest,
        DescribeInstancesRequestTag,
    )
    from alibabacloud_ecs20140526.models._stop_instance_request import StopInstanceRequest
    from alibabacloud_ecs20140526.models._stop_instances_request import StopInstancesRequest
    from alibabacloud_tea_openapi.client import Client
    from alibabacloud_tea_openapi.utils import Utils
    from alibabacloud_tea_openapi.utils_models import Config, OpenApiRequest, Params
    from darabonba.core import DaraCore
    from darabonba.runtime import RuntimeOptions
    from requests import Session
    from Tea.exceptions import TeaException

# These write to standard error at import (a DEBUG handler of their own) and, with DEBUG=sdk in the
# environment, the request's headers: Authorization and the security token.
for _name in ("alibabacloud-tea", "credentials", "darabonba-core"):
    logging.getLogger(_name).handlers.clear()
    logging.getLogger(_name).disabled = True


class _Sessions(dict[str, Session]):
    """The SDK's sessions, one per endpoint, none of which follows a redirect.

    The SDK leaves `requests` at its default, which would send the key id and the security token on to
    whichever host a redirect names, and believe its answer. ECS's API knows no redirects.
    """

    def __setitem__(self, endpoint: str, session: Session) -> None:
        """Keep the first one: two threads that find none may each make one."""
        session.max_redirects = 0
        self.setdefault(endpoint, session)


DaraCore._sessions = _Sessions()  # noqa: SLF001 - the SDK offers no option for it
DaraCore.get_adapter = staticmethod(make_adapter)


@frozen(kw_only=True)
class _Key:
    """A key as the SDK asks for it; the SDK's own package for that can find one in a dozen places."""

    type: str
    access_key_id: str = field(repr=False)
    access_key_secret: str = field(repr=False)
    security_token: str = field(repr=False)
    provider_name: None = None

    def get_credential(self) -> Self:
        """Give what signs the next call."""
        return self


def _key(credentials: Credentials) -> _Key | None:
    """Give the key; None where there is none, which the SDK then says."""
    if not credentials.access_key_id or not credentials.access_key_secret:
        return None
    return _Key(
        type="sts" if credentials.security_token else "access_key",
        access_key_id=credentials.access_key_id,
        access_key_secret=credentials.access_key_secret,
        security_token=credentials.security_token,
    )


def config(region_id: str, credentials: Credentials, endpoint: str | None) -> Config:
    """Make what a client is made of; `endpoint` is `http(s)://host[:port]`, None what the client knows."""
    parts = urlsplit(endpoint or "https:")
    return Config(
        endpoint=parts.netloc or None,
        protocol=parts.scheme,
        region_id=region_id,
        credential=_key(credentials),
    )


def runtime_options(seconds: float, *, connections: int | None = None) -> RuntimeOptions:
    """Spend a third of the time on connecting, 5 s at most, as the SDK does; the rest on the answer."""
    connect_seconds = min(5.0, seconds / 3)
    return RuntimeOptions(
        connect_timeout=int(connect_seconds * 1000),
        read_timeout=int((seconds - connect_seconds) * 1000),
        max_idle_conns=connections,
    )


def rpc(action: str, version: str) -> Params:
    """Say how an action of an API in the RPC style is called, as the SDK's own clients do."""
    return Params(
        action=action,
        version=version,
        protocol="HTTPS",
        pathname="/",
        method="POST",
        auth_type="AK",
        style="RPC",
        req_body_type="formData",
        body_type="json",
    )


def regional_endpoint(region_id: str) -> str:
    """Host of a region's ECS, as the SDK's own ECS client would choose it."""
    return _EXCEPTIONS.get(region_id) or str(Utils.get_endpoint_rules("ecs", region_id, "regional", None))


__all__ = [
    "ECS_VERSION",
    "Client",
    "Config",
    "DescribeInstanceTypesRequest",
    "DescribeInstancesRequest",
    "DescribeInstancesRequestTag",
    "OpenApiRequest",
    "Params",
    "RuntimeOptions",
    "StopInstanceRequest",
    "StopInstancesRequest",
    "TeaException",
    "Utils",
    "config",
    "regional_endpoint",
    "rpc",
    "runtime_options",
]
