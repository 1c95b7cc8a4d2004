"""The ways to ECS, STS and FC that the function gets: what its own ones do, by the simulated network."""

from dataclasses import dataclass

from function.cloud import sdk
from function.cloud.ecs import SdkEcs
from function.cloud.sdk_errors import cloud_error
from function.model.credentials import Credentials, Redactor
from function.model.ports import ASSUME_ROLE, INVOKE_FUNCTION, Ecs, Fc, Sts
from simulation.network import Client, Network
from simulation.recording import RecordedInvocation
from simulation.scenario import OWN_ACCOUNT, account_of


@dataclass(frozen=True, slots=True)
class Apis:
    """Those of one invocation. `roles`: whose the keys are that were assumed so far, by their ids."""

    network: Network
    invocation: RecordedInvocation
    roles: dict[str, str]

    def connect_ecs(
        self, region_id: str, credentials: Credentials, *, endpoint: str | None, connections: int
    ) -> Ecs:
        """See `ConnectEcs`."""
        role = self.roles.get(credentials.access_key_id)
        account_id = OWN_ACCOUNT if role is None else account_of(role)
        self.invocation.connected.append(((account_id, region_id), endpoint))
        return SdkEcs(
            region_id,
            Client(self.network, self.invocation, role, region_id),
            credentials,
            connections,
            monotonic=lambda: self.network.scheduler.time,
        )

    def connect_sts(self, region_id: str, credentials: Credentials, *, endpoint: str | None) -> Sts:
        """See `Connect`."""
        del endpoint
        return _Sts(Client(self.network, self.invocation, None, region_id), credentials, self.roles)

    def connect_fc(self, region_id: str, credentials: Credentials, *, endpoint: str | None) -> Fc:
        """See `Connect`."""
        del endpoint
        return _Fc(Client(self.network, self.invocation, None, region_id), credentials)


@dataclass(frozen=True, slots=True)
class _Sts:
    client: Client
    credentials: Credentials
    roles: dict[str, str]

    def assume_role(self, role_arn: str, *, lasting: float, seconds: float) -> Credentials:
        """See `Sts.assume_role`."""
        del lasting
        query = {"RoleArn": role_arn, "RoleSessionName": "simulated"}
        try:
            answer = self.client.call_api(
                sdk.Params(action=ASSUME_ROLE), sdk.OpenApiRequest(query=query), sdk.runtime_options(seconds)
            )
            key = answer["body"]["Credentials"]
            self.roles[key["AccessKeyId"]] = role_arn
            return Credentials(
                access_key_id=key["AccessKeyId"],
                access_key_secret=key["AccessKeySecret"],
                security_token=key["SecurityToken"],
            )
        except Exception as error:  # noqa: BLE001 - as there
            raise cloud_error(f"sts:{ASSUME_ROLE}", error, Redactor(self.credentials.secrets())) from None


@dataclass(frozen=True, slots=True)
class _Fc:
    client: Client
    credentials: Credentials

    def invoke(self, function_name: str, event: bytes, *, seconds: float) -> str:
        """See `Fc.invoke`."""
        request = sdk.OpenApiRequest(query={"functionName": function_name}, body=event)
        try:
            answer = self.client.call_api(
                sdk.Params(action=INVOKE_FUNCTION), request, sdk.runtime_options(seconds)
            )
            return str(answer["body"]["RequestId"])
        except Exception as error:  # noqa: BLE001 - as there
            raise cloud_error(f"fc:{INVOKE_FUNCTION}", error, Redactor(self.credentials.secrets())) from None
