"""The ways to ECS, STS and FC that the function gets: what its own ones do, by the simulated network."""

from dataclasses import dataclass

from function import sdk
from function.credentials import Credentials
from function.ecs import Ecs, SdkEcs
from function.failure import failure
from function.fc import INVOKE_FUNCTION
from function.sts import ASSUME_ROLE
from simulation.history import Invocation
from simulation.network import Client, Network
from simulation.scenario import OWN_ACCOUNT, account_of


@dataclass(frozen=True, slots=True)
class Apis:
    """Those of one invocation. `roles`: whose the keys are that were assumed so far, by their ids."""

    network: Network
    invocation: Invocation
    roles: dict[str, str]

    def connect(
        self, region_id: str, credentials: Credentials, *, endpoint: str | None, connections: int
    ) -> Ecs:
        """See `function.ecs.connect`."""
        role = self.roles.get(credentials.access_key_id)
        account_id = OWN_ACCOUNT if role is None else account_of(role)
        self.invocation.connected.append(((account_id, region_id), endpoint))
        return SdkEcs(
            region_id, Client(self.network, self.invocation, role, region_id), credentials, connections
        )

    def assume_role(
        self,
        role_arn: str,
        credentials: Credentials,
        *,
        region_id: str,
        endpoint: str | None,
        lasting: float,
        seconds: float,
    ) -> Credentials:
        """See `function.sts.assume_role`."""
        del endpoint, lasting
        client = Client(self.network, self.invocation, None, region_id)
        query = {"RoleArn": role_arn, "RoleSessionName": "simulated"}
        try:
            answer = client.call_api(
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
            raise failure(f"sts:{ASSUME_ROLE}", error, credentials) from None

    def invoke_function(
        self,
        function_name: str,
        event: bytes,
        credentials: Credentials,
        *,
        region_id: str,
        endpoint: str | None,
        seconds: float,
    ) -> str:
        """See `function.fc.invoke_function`."""
        del endpoint
        client = Client(self.network, self.invocation, None, region_id)
        request = sdk.OpenApiRequest(query={"functionName": function_name}, body=event)
        try:
            answer = client.call_api(
                sdk.Params(action=INVOKE_FUNCTION), request, sdk.runtime_options(seconds)
            )
            return str(answer["body"]["RequestId"])
        except Exception as error:  # noqa: BLE001 - as there
            raise failure(f"fc:{INVOKE_FUNCTION}", error, credentials) from None
