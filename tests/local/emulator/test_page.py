"""The local ECS's page: what it shows, that all of it is text, and who may use its form."""

import re
from collections.abc import Callable, Mapping
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import Client, TestResponse

from local.emulator.application import Application
from local.emulator.backend import LocalEcs
from local.emulator.fault_text import parse_fault
from local.emulator.fleet import Fleet
from local.emulator.keys import KeyPair
from local.emulator.page import MAX_CALLS, MAX_INSTANCES, MAX_TEXT, WebPage

ID = "i-bp67acfmxazb4ph001"
HOST = "127.0.0.1:8014"
ORIGIN = f"http://{HOST}"
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Host": HOST}
HERE = {"REMOTE_ADDR": "127.0.0.1"}
KEY = KeyPair()
TEMPORARY = KeyPair("STS.emulator", "its secret", "its token+/=")

Make = Callable[..., LocalEcs]


class Browser:
    """Asks for the page as a browser would, without one."""

    def __init__(self, ecs: LocalEcs, credentials: KeyPair = KEY) -> None:
        self._client = Client(WebPage(Application(ecs, credentials, ecs.now), ecs, credentials, ecs.now))

    def get(
        self, path: str = "/", headers: Mapping[str, str] = BROWSER, environ: Mapping[str, str] = HERE
    ) -> TestResponse:
        """Open a page."""
        return self._client.get(path, headers=dict(headers), environ_overrides=dict(environ))

    def send(
        self, *, environ: Mapping[str, str] = HERE, origin: str = ORIGIN, host: str = HOST, **form: str
    ) -> TestResponse:
        """Send the form, from a page of that origin."""
        headers = {**BROWSER, "Host": host} | ({"Origin": origin} if origin else {})
        return self._client.post("/stop", headers=headers, data=form, environ_overrides=dict(environ))

    def start(self, *, origin: str = ORIGIN, **form: str) -> TestResponse:
        """Press the button of an instance, on a page of that origin."""
        headers = {**BROWSER, "Origin": origin}
        return self._client.post("/start", headers=headers, data=form, environ_overrides=dict(HERE))

    def reset(
        self,
        *,
        method: str = "POST",
        host: str = HOST,
        headers: Mapping[str, str] | None = None,
        environ: Mapping[str, str] = HERE,
    ) -> TestResponse:
        """Have it start anew."""
        given = {"Host": host, **(headers or {})}
        return self._client.open("/reset", method=method, headers=given, environ_overrides=dict(environ))


class Elements(HTMLParser):
    """The elements of a page with their attributes, and all its text."""

    def __init__(self, page: TestResponse) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the element; most of them set their text apart."""
        self.text += "" if tag == "bdi" else " "
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Note the text."""
        self.text += data

    @property
    def shape(self) -> list[tuple[str, tuple[str, ...]]]:
        """The elements and the names of their attributes, in order."""
        return [(tag, tuple(attributes)) for tag, attributes in self.elements]


def fleet_of(name: str, key: str, value: str) -> Fleet:
    """Make a fleet of one instance with that name and tag."""
    tags = {"Tag": [{"TagKey": key, "TagValue": value}]}
    return Fleet.from_instances([{"InstanceId": ID, "InstanceName": name, "Tags": tags}])


def test_the_fleet_is_shown_as_it_is(make_ecs: Make) -> None:
    """Each instance has its state, stop mode, locks, local disks and tags."""
    ecs = make_ecs(
        {
            "InstanceId": ID,
            "InstanceName": "web",
            "InstanceType": "ecs.i2.xlarge",
            "OperationLocks": {"LockReason": [{"LockReason": "security"}, {"LockReason": "financial"}]},
            "Tags": {"Tag": [{"TagKey": "env", "TagValue": "dev"}]},
        },
        {"InstanceId": "i-2", "Status": "Stopped", "StoppedMode": "StopCharging", "RegionId": "cn-beijing"},
    )
    text = " ".join(Elements(Browser(ecs).get()).text.split())
    assert "web Running" in text
    assert f"{ID} Stop mode Not-applicable Locks financial security Local disks 1 x 894 GiB" in text
    assert "Tags env=dev" in text
    assert "i-2 Stopped i-2 Stop mode StopCharging Locks none Local disks none" in text
    assert "Region cn-beijing" in text


def test_accounts_are_shown(make_ecs: Make) -> None:
    """Each instance and each call has its account."""
    other = "2345678901234567"
    ecs = make_ecs({"InstanceId": "i-1"}, {"InstanceId": "i-2", "x-emulator": {"AccountId": other}})
    ecs.call("StopInstance", {"InstanceId": "i-2"}, account_id=other)
    text = " ".join(Elements(Browser(ecs).get()).text.split())
    assert f"of account {ecs.account_id}." in text
    assert f"Account {ecs.account_id} Tags none" in text
    assert f"Account {other} Tags none" in text
    assert f"Request in account {other} InstanceId = i-2" in text


def test_states_are_live(make_ecs: Make, clock: Any) -> None:  # noqa: ANN401 - a VirtualClock
    """A stop sent by the form shows at once as Stopping with the mode to come, and as Stopped in its time."""
    browser = Browser(make_ecs({"InstanceId": ID}))
    stopping = " ".join(Elements(browser.send(InstanceId=ID, StoppedMode="StopCharging")).text.split())
    assert "Stopping until 12:00:02 UTC" in stopping
    assert "Stop mode StopCharging" in stopping
    clock.advance(2)
    assert re.search(r'badge stopped">Stopped<', browser.get().text)


def test_the_form_signs_and_sends(make_ecs: Make) -> None:
    """The page after the form has the signed request, what was signed, both answers and the code."""
    ecs = make_ecs({"InstanceId": ID})
    page = Elements(Browser(ecs).send(InstanceId=f" {ID} ", ForceStop="true", StoppedMode=""))
    (call,) = ecs.calls
    assert (call.status, call.parameters) == (200, {"InstanceId": ID, "ForceStop": "true"})
    assert f"POST /?ForceStop=true&InstanceId={ID} HTTP/1.1\nhost: {HOST}\n" in page.text
    assert "authorization: ACS3-HMAC-SHA256 Credential=emulator,SignedHeaders=host;" in page.text
    assert call.signed in page.text
    assert f'"RequestId": "{call.answer["RequestId"]}"' in page.text
    assert f"<RequestId>{call.answer['RequestId']}</RequestId>" in page.text
    for part in (
        "aliyun ecs StopInstance",
        "force_stop=True",
        "forceStop: true",
        ".setForceStop(true)",
        "SetForceStop(true)",
    ):
        assert part in page.text
    assert page.text.count(f'"{HOST}"') == 4


def test_the_address_of_the_answer_can_be_opened(make_ecs: Make) -> None:
    """Opened anew, without the form's fields, it is the page; nothing is sent, and no call is made."""
    ecs = make_ecs({"InstanceId": ID})
    page = Browser(ecs).get("/stop")
    assert (page.status_code, ecs.calls) == (200, ())
    assert "Sign and send" in page.text


def test_a_dry_run_by_the_form(make_ecs: Make) -> None:
    """A dry run that passes is shown as the error that ECS answers it with; nothing is stopped."""
    ecs = make_ecs({"InstanceId": ID})
    page = Elements(Browser(ecs).send(InstanceId=ID, DryRun="true"))
    assert "400 DryRunOperation" in page.text
    assert "<Code>DryRunOperation</Code>" in page.text
    assert ecs.instance(ID).status == "Running"


def test_the_security_token_and_the_secret_stay_hidden(make_ecs: Make) -> None:
    """With a temporary key the call is accepted, and neither its secret nor its token is on the page."""
    ecs = make_ecs({"InstanceId": ID})
    page = Browser(ecs, TEMPORARY).send(InstanceId=ID).text
    assert ecs.calls[0].status == 200
    assert "x-acs-security-token: ***" in page
    assert TEMPORARY.security_token not in page
    assert TEMPORARY.access_key_secret not in page


@pytest.mark.parametrize(
    ("fault", "shown"),
    [
        ("reset", "No answer of the API went out."),
        ("html", "<title>Bad Gateway</title>"),
        ("DiskError", "403 DiskError"),
    ],
)
def test_the_form_on_a_bad_day(fault: str, shown: str, make_ecs: Make) -> None:
    """What a fault makes of the call is shown, as text."""
    ecs = make_ecs({"InstanceId": ID}, faults=[parse_fault(f"StopInstance={fault}")])
    page = Elements(Browser(ecs).send(InstanceId=ID))
    assert shown in page.text
    assert [tag for tag, _ in page.elements].count("title") == 1


def test_the_form_offers_each_parameter_of_the_action(make_ecs: Make) -> None:
    """The seed's five parameters, each with a label and an explanation, and with what was given before."""
    page = Elements(Browser(make_ecs({"InstanceId": ID})).get(f"/?InstanceId={ID}"))
    controls = {a["name"]: a for tag, a in page.elements if tag in {"input", "select"} and "name" in a}
    assert list(controls) == ["InstanceId", "StoppedMode", "ConfirmStop", "ForceStop", "DryRun"]
    labels = {a["for"] for tag, a in page.elements if tag == "label" and "for" in a}
    ids = {a["id"] for _, a in page.elements if "id" in a}
    assert labels == {a["id"] for a in controls.values()}
    assert {a["aria-describedby"] for a in controls.values()} <= ids
    assert controls["InstanceId"]["value"] == ID


def test_last_calls_newest_first(make_ecs: Make, wire: Callable[..., Any]) -> None:
    """Calls of any client are listed with what was signed and both answers, the last of them only."""
    ecs = make_ecs({"InstanceId": ID})
    client = wire(ecs)
    client.rpc("StopInstance", {"InstanceId": ID})
    for _ in range(MAX_CALLS):
        client.acs3("DescribeInstances", {"RegionId": "cn-hangzhou"})
    page = Browser(ecs).get()
    text = Elements(page).text
    assert page.text.count('<details class="call"') == MAX_CALLS
    assert len(set(re.findall(r'id="call-(\d+)"', page.text))) == MAX_CALLS
    assert "StopInstance" not in text.partition("Last calls")[2]
    assert f"{MAX_CALLS} of {MAX_CALLS + 1}" in text
    assert "ACS3-HMAC-SHA256\n" in text
    assert "<DescribeInstancesResponse>" in text


def test_parameters_without_effect_are_named(make_ecs: Make, wire: Callable[..., Any]) -> None:
    """Of a call that has parameters which its action doesn't document, the page says so."""
    ecs = make_ecs()
    wire(ecs).rpc("DescribeInstances", {"RegionId": "cn-hangzhou", "on": "x", "Other": "y"})
    assert "without effect: <code>on</code>, <code>Other</code>" in Browser(ecs).get().text
    ecs.reset()
    wire(ecs).rpc("DescribeInstances", {"RegionId": "cn-hangzhou"})
    assert "without effect" not in Browser(ecs).get().text


def test_a_call_that_is_none_is_listed_too(make_ecs: Make, wire: Callable[..., Any]) -> None:
    """A request without an action or a signature doesn't break the list."""
    ecs = make_ecs()
    wire(ecs).send("GET", "/", headers={})
    text = Elements(Browser(ecs).get()).text
    assert "(no action)" in text
    assert "not signed" in text


def test_a_large_fleet_stays_readable(make_ecs: Make, wire: Callable[..., Any]) -> None:
    """Of many instances and of a long answer the beginning is shown, and how much more there is."""
    ecs = make_ecs(*({"InstanceId": f"i-{n}"} for n in range(MAX_INSTANCES + 7)))
    wire(ecs).rpc("DescribeInstances", {"RegionId": "cn-hangzhou", "MaxResults": "100"})
    page = Browser(ecs).get()
    assert "… and 7 more." in page.text
    assert "more characters" in page.text
    assert len(page.text) < 3 * MAX_TEXT + MAX_INSTANCES * 2_000


HOSTILE = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40) | st.sampled_from(
    [
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "</title><b>",
        "&lt;",
        "{{ 7*7 }}",
        "\u202egnp.exe",
        "\x00",
    ]
)


@given(name=HOSTILE, key=HOSTILE, value=HOSTILE)
@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=50)
def test_everything_shown_is_text(name: str, key: str, value: str) -> None:
    """Whatever instances, tags and parameters are called, the page has the elements of a harmless one."""
    ecs, harmless = LocalEcs(fleet_of(name, key, value)), LocalEcs(fleet_of("n", "k", "v"))
    page = Elements(Browser(ecs).send(InstanceId=name))
    other = Elements(Browser(harmless).send(InstanceId="n"))
    if name.strip():
        assert page.shape == other.shape
    attributes = [a for _, found in page.elements for a in found]
    assert [a for a in attributes if a.startswith("on") or a == "style"] == []


def test_nothing_comes_from_outside(make_ecs: Make) -> None:
    """Links stay on the page's own server, the only script is its own, and the policy lets no other run."""
    page = Browser(make_ecs({"InstanceId": ID})).get()
    elements = Elements(page).elements
    links = [a[name] for _, a in elements for name in ("href", "src", "action") if name in a]
    assert [link for link in links if not re.match(r"/(?!/)|#|data:,$", link or "")] == []
    assert [a for tag, a in elements if tag == "script"] == [{"src": "/page.js", "defer": None}]
    assert [name for _, a in elements for name in a if name.startswith("on")] == []
    policy = dict(part.split(" ", 1) for part in page.headers["Content-Security-Policy"].split("; "))
    assert (policy["default-src"], policy["script-src"], policy["connect-src"]) == (
        "'none'",
        "'self'",
        "'self'",
    )
    assert page.headers["Referrer-Policy"] == "same-origin"
    assert Browser(make_ecs()).get("/page.css").content_type == "text/css;charset=utf-8"
    assert Browser(make_ecs()).get("/page.js").content_type == "text/javascript;charset=utf-8"


@pytest.mark.parametrize(
    "origin",
    [
        "",
        "null",
        "http://evil.example",
        "http://127.0.0.1:9999",
        "https://127.0.0.1:8014",
        "http://localhost:8014",
    ],
)
def test_no_other_site_can_send_the_form(origin: str, make_ecs: Make) -> None:
    """A form from another origin, or from none, is refused before anything is signed."""
    ecs = make_ecs({"InstanceId": ID})
    answer = Browser(ecs).send(InstanceId=ID, origin=origin)
    assert (answer.status_code, ecs.calls) == (403, ())


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8014", "127.0.0.1.evil.example", "192.168.1.5:8014", "10.0.0.1"]
)
def test_no_other_host_name_opens_the_page(host: str, make_ecs: Make) -> None:
    """A name that another site may point at this machine (DNS rebinding) gets neither page nor form."""
    ecs = make_ecs({"InstanceId": ID})
    browser = Browser(ecs)
    assert browser.get(headers=BROWSER | {"Host": host}).status_code == 403
    assert browser.send(InstanceId=ID, origin=f"http://{host}", host=host).status_code == 403
    assert ecs.calls == ()


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8014", "127.0.0.1", "127.1.2.3:8014", "[::1]", "[::1]:8014"]
)
def test_every_name_of_this_machine_opens_it(host: str, make_ecs: Make) -> None:
    """Loopback by name, by IPv4 and by IPv6, with a port or not, is this machine."""
    ecs = make_ecs({"InstanceId": ID})
    browser = Browser(ecs)
    assert browser.get(headers=BROWSER | {"Host": host}).status_code == 200
    assert browser.send(InstanceId=ID, origin=f"http://{host}", host=host).status_code == 200
    assert ecs.calls[0].status == 200


def test_no_other_machine_sees_the_page(make_ecs: Make) -> None:
    """Where the emulator listens to the network, the page is still for its own machine alone."""
    ecs = make_ecs({"InstanceId": ID})
    elsewhere = {"REMOTE_ADDR": "192.168.1.7"}
    browser = Browser(ecs)
    assert browser.get(environ=elsewhere).status_code == 403
    assert browser.send(InstanceId=ID, environ=elsewhere).status_code == 403
    assert browser.get("/?Action=StopInstance", environ=elsewhere).status_code == 400


def test_a_stopped_instance_has_a_button_that_starts_it(make_ecs: Make) -> None:
    """The button signs and sends StartInstance; one that runs has none, and another site can't press it."""
    ecs = make_ecs({"InstanceId": ID, "Status": "Stopped"}, {"InstanceId": "i-on"})
    browser = Browser(ecs)
    assert re.findall(r'id="start-([^"]+)"', browser.get().text) == [ID]
    assert browser.start(InstanceId=ID, origin="http://evil.example").status_code == 403
    assert ecs.instance(ID).status == "Stopped"
    answer = " ".join(Elements(browser.start(InstanceId=ID)).text.split())
    assert "StartInstance 200" in answer
    assert "start_instance(" in answer
    assert [(call.action, call.parameters) for call in ecs.calls] == [("StartInstance", {"InstanceId": ID})]
    assert ecs.instance(ID).status == "Starting"


def test_a_value_that_the_form_does_not_offer(make_ecs: Make) -> None:
    """A form made by hand with another value gets an error that names it; nothing is called."""
    ecs = make_ecs({"InstanceId": ID})
    answer = Browser(ecs).send(InstanceId=ID, ForceStop="maybe")
    assert (answer.status_code, answer.text) == (400, "ForceStop is 'maybe', expected true or false\n")
    assert ecs.calls == ()


@pytest.mark.parametrize(
    ("header", "value"),
    [("Accept", "*/*"), ("Accept", "application/json"), ("Authorization", "ACS3-HMAC-SHA256 Credential=x")],
)
def test_clients_of_the_api_get_the_api(header: str, value: str, make_ecs: Make) -> None:
    """Whoever doesn't ask for HTML, or signs, gets what he always got."""
    ecs = make_ecs()
    answer = Browser(ecs).get(headers=BROWSER | {header: value})
    assert answer.status_code == 400
    assert len(ecs.calls) == 1


def test_a_browser_can_call_the_api_by_its_address(make_ecs: Make) -> None:
    """An address with an Action is a call, also in a browser: the sample request stays what it is."""
    answer = Browser(make_ecs()).get("/?Action=StopInstance&InstanceId=i-1")
    assert answer.content_type.startswith("text/xml")


def test_the_page_is_served(make_ecs: Make, wire: Callable[..., Any]) -> None:
    """The emulator's server has the page at its root, next to the API."""
    answer = wire(make_ecs({"InstanceId": ID})).send("GET", "/", headers={"Accept": "text/html"})
    assert (answer.status, ID in answer.text) == (200, True)


def test_a_program_resets_it(make_ecs: Make) -> None:
    """A POST without an origin, from wherever, brings the fleet back; no GET does."""
    ecs = make_ecs({"InstanceId": ID})
    ecs.call("StopInstance", {"InstanceId": ID})
    browser = Browser(ecs)
    elsewhere = {"REMOTE_ADDR": "172.17.0.2"}
    assert browser.reset(method="GET", host="ecs:8014", environ=elsewhere).status_code == 404
    assert ecs.instance(ID).status == "Stopping"
    assert browser.reset(host="ecs:8014", environ=elsewhere).status_code == 204
    assert (ecs.instance(ID).status, ecs.calls) == ("Running", ())


@pytest.mark.parametrize(
    "given", [{"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}]
)
def test_no_other_site_resets_it(given: dict[str, str], make_ecs: Make) -> None:
    """What a browser sends for another page is refused."""
    ecs = make_ecs({"InstanceId": ID})
    ecs.call("StopInstance", {"InstanceId": ID})
    assert Browser(ecs).reset(headers=given).status_code == 403
    assert ecs.instance(ID).status == "Stopping"


def test_the_pages_own_button_resets_it(make_ecs: Make) -> None:
    """From its own page a browser gets there again."""
    ecs = make_ecs({"InstanceId": ID})
    ecs.call("StopInstance", {"InstanceId": ID})
    answer = Browser(ecs).reset(headers={"Origin": ORIGIN})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert ecs.instance(ID).status == "Running"
