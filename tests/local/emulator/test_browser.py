"""The local ECS's page in a real Chromium: by keyboard, narrow and wide, light and dark, safe."""

import shutil
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import pytest
from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from local.emulator.backend import LocalEcs
from local.emulator.server import serve

ID = "i-bp67acfmxazb4ph001"
DISKS = "i-bp67acfmxazb4ph002"
CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
ARGUMENTS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--no-proxy-server"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
PHONE, DESKTOP = 320, 1280

# The ratio of WCAG 2 between each text's colour and what is painted behind it; all colours here are opaque.
CONTRASTS = """
const numbers = (color) => color.match(/[\\d.]+/g).map(Number);
const luminance = (color) => {
  const [r, g, b] = numbers(color).slice(0, 3).map((part) => part / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const behind = (element) => {
  for (; element; element = element.parentElement) {
    const color = getComputedStyle(element).backgroundColor;
    if (numbers(color)[3] !== 0) return color;
  }
  return "rgb(255, 255, 255)";
};
return [...document.querySelectorAll("body *")]
  .filter((element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim()))
  .filter((element) => element.checkVisibility())
  .map((element) => {
    const pair = [luminance(getComputedStyle(element).color), luminance(behind(element))];
    return [element.outerHTML.slice(0, 80), (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05)];
  });
"""

Make = Callable[..., LocalEcs]

pytestmark = pytest.mark.skipif(
    CHROMIUM is None or DRIVER is None,
    reason="there is no chromium with its chromedriver; as root on Debian, `make test-tools` installs them",
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    """Start Chromium, with nothing remembered, for all tests in here."""
    options = ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for argument in (*ARGUMENTS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = Chrome(options=options, service=ChromeService(executable_path=DRIVER))
    try:
        yield driver
    finally:
        driver.quit()


@pytest.fixture
def ecs(make_ecs: Make) -> LocalEcs:
    """Make a fleet with long and hostile names, and each kind of remark."""
    return make_ecs(
        {"InstanceId": ID, "InstanceName": "web"},
        {
            "InstanceId": DISKS,
            "InstanceName": "W" * 128,
            "InstanceType": "ecs.i2.xlarge",
            "OperationLocks": {"LockReason": [{"LockReason": "dedicatedhostfinancial"}]},
            "Tags": {
                "Tag": [{"TagKey": "k" * 128, "TagValue": "<script>document.title = 'broken'</script>"}]
            },
        },
        {"InstanceId": "i-off", "Status": "Stopped"},
        {"InstanceId": "i-starting", "Status": "Starting"},
    )


@pytest.fixture
def page(browser: Chrome, ecs: LocalEcs, clock: Any) -> Iterator[str]:  # noqa: ANN401 - a VirtualClock
    """Serve the page on the tests' clock, and open it."""
    with serve(ecs, clock=clock.now) as endpoint:
        browser.get(endpoint)
        yield endpoint
        browser.get("about:blank")  # keeps no connection to the server that ends now


def show(browser: Chrome, *, width: int, scheme: str) -> None:
    """Give the window a width and the person a taste."""
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width == PHONE}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)


def press(browser: Chrome, *keys: str) -> None:
    """Type, wherever the focus is."""
    ActionChains(browser).send_keys(*keys).perform()


def focus(browser: Chrome) -> WebElement:
    """Give the element that has the focus."""
    return browser.switch_to.active_element


def send_form(browser: Chrome, page: str) -> WebElement:
    """Press the form's button, and give what comes of it."""
    browser.find_element(By.TAG_NAME, "button").click()
    return answer(browser, page)


def answer(browser: Chrome, page: str) -> WebElement:
    """Wait for the page after the form, and give its part about the call."""
    WebDriverWait(browser, 10).until(lambda driver: driver.current_url == f"{page}/stop#answer")
    return browser.find_element(By.ID, "answer")


def refresh(browser: Chrome) -> None:
    """Have the page do at once what it does every two seconds."""
    browser.execute_async_script("refresh().then(arguments[0])")


def complaints(browser: Chrome) -> list[str]:
    """Give what the browser's console has said since it was last asked."""
    return [entry["message"] for entry in browser.get_log("browser")]  # type: ignore[no-untyped-call]  # selenium's


def test_an_instance_is_stopped_by_keyboard(browser: Chrome, page: str, ecs: LocalEcs) -> None:
    """With Tab, letters and Enter alone, each control comes in turn, shows its focus, and is sent."""
    for _ in range(20):
        press(browser, Keys.TAB)
        if focus(browser).accessible_name == "InstanceId":
            break
    press(browser, ID)
    for name, letter in (("StoppedMode", "S"), ("ConfirmStop", ""), ("ForceStop", "t"), ("DryRun", "")):
        press(browser, Keys.TAB)
        assert focus(browser).accessible_name == name
        assert focus(browser).value_of_css_property("outline-style") == "solid"
        press(browser, letter)
    press(browser, Keys.TAB)
    assert focus(browser).accessible_name == "Sign and send"
    press(browser, Keys.ENTER)
    assert "StopInstance 200" in answer(browser, page).text
    assert ecs.calls[0].parameters == {"InstanceId": ID, "StoppedMode": "StopCharging", "ForceStop": "true"}
    assert ecs.instance(ID).status == "Stopping"


def test_a_link_at_each_instance_fills_in_the_form(browser: Chrome, page: str, ecs: LocalEcs) -> None:
    """From an instance one comes to the form, its id filled in, and from there to the answer and the code."""
    browser.find_element(By.PARTIAL_LINK_TEXT, "Stop WWW").click()
    WebDriverWait(browser, 10).until(lambda driver: driver.current_url.endswith("#stop"))
    assert browser.find_element(By.NAME, "InstanceId").get_property("value") == DISKS
    shown = send_form(browser, page)
    assert "403 InstanceType.ParameterMismatch" in shown.text
    browser.find_element(By.XPATH, "//summary[.='Go']").click()
    assert f'SetInstanceId("{DISKS}")' in shown.text
    assert f'SetEndpoint("{page.removeprefix("http://")}")' in shown.text
    assert ecs.instance(DISKS).status == "Running"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_it_is_readable(width: int, scheme: str, browser: Chrome, page: str) -> None:
    """Narrow or wide, light or dark: nothing sticks out to the side, and all text stands out (WCAG 2 AA)."""
    show(browser, width=width, scheme=scheme)
    browser.get(f"{page}/?InstanceId={DISKS}")
    send_form(browser, page)
    browser.execute_script("for (const one of document.querySelectorAll('details')) one.open = true")
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    contrasts = browser.execute_script(CONTRASTS)
    assert len(contrasts) > 100
    assert [found for found in contrasts if found[1] < 4.5] == []


def test_whoever_hears_it_finds_his_way(browser: Chrome, page: str) -> None:
    """It has landmarks, every control and region a name, and its headings skip no level."""
    browser.get(f"{page}/?InstanceId={ID}")
    send_form(browser, page)
    roles = [one.aria_role for one in browser.find_elements(By.CSS_SELECTOR, "header, nav, main, section")]
    assert sorted(set(roles)) == ["banner", "main", "navigation", "region"]
    controls = browser.find_elements(
        By.CSS_SELECTOR, "nav, section, input:not([type=hidden]), select, button, a, summary"
    )
    assert [one.tag_name for one in controls if not one.accessible_name] == []
    levels = [int(one.tag_name[1]) for one in browser.find_elements(By.CSS_SELECTOR, "h1, h2, h3, h4")]
    assert levels[0] == 1
    assert [after for before, after in pairwise(levels) if after > before + 1] == []


def test_it_runs_nothing_and_loads_nothing_else(browser: Chrome, page: str) -> None:
    """Hostile names stay text, only its own style and script are loaded, and nothing is complained of."""
    complaints(browser)
    browser.get(page)
    loaded = browser.execute_script("return performance.getEntriesByType('resource').map((one) => one.name)")
    assert [one for one in loaded if not one.startswith("data:")] == [
        f"{page}/page.css",
        f"{page}/page.js",
    ]
    assert browser.title == "Local ECS"
    assert len(browser.find_elements(By.TAG_NAME, "script")) == 1
    refresh(browser)  # what it fetches is text as well
    assert browser.title == "Local ECS"
    assert "<script>document.title" in browser.find_element(By.ID, "fleet").text
    assert complaints(browser) == []


def test_another_site_cant_send_the_form(browser: Chrome, page: str, ecs: LocalEcs) -> None:
    """A page from elsewhere that sends the same form is refused, and nothing is stopped."""
    browser.get(
        "data:text/html,"
        f"<form method=post action={page}/stop><input name=InstanceId value={ID}><button>Win</button></form>"
    )
    browser.find_element(By.TAG_NAME, "button").click()
    WebDriverWait(browser, 10).until(lambda driver: driver.current_url == f"{page}/stop")
    assert "only what its own page sends" in browser.find_element(By.TAG_NAME, "body").text
    assert ecs.calls == ()
    assert ecs.instance(ID).status == "Running"


def test_it_refreshes_itself(browser: Chrome, page: str, ecs: LocalEcs) -> None:
    """What other clients do shows up without a hand; what is typed, open and focused stays as it is."""
    ecs.call("DescribeInstances", {"RegionId": "cn-hangzhou"})
    browser.get(page)
    browser.find_element(By.NAME, "InstanceId").send_keys("i-typed")
    browser.find_element(By.ID, "summary-1").click()
    ecs.call("StopInstance", {"InstanceId": ID})
    WebDriverWait(browser, 10).until(lambda driver: driver.find_elements(By.ID, "call-2"))
    assert "Stopping" in browser.find_element(By.ID, "fleet").text
    assert browser.find_element(By.NAME, "InstanceId").get_property("value") == "i-typed"
    assert browser.find_element(By.ID, "call-1").get_property("open")
    assert focus(browser).get_property("id") == "summary-1"
    assert not browser.find_element(By.ID, "call-2").get_property("open")


def test_it_stops_refreshing_where_nobody_wants_it(browser: Chrome, page: str, ecs: LocalEcs) -> None:
    """Without the tick, and while text is selected to be copied, the page stays as it is."""
    assert page
    browser.find_element(By.ID, "live").click()
    ecs.call("StopInstance", {"InstanceId": ID})
    refresh(browser)
    assert "Stopping" not in browser.find_element(By.ID, "fleet").text
    browser.execute_script("getSelection().selectAllChildren(document.getElementById('fleet-title'))")
    browser.find_element(By.ID, "live").send_keys(Keys.SPACE)
    refresh(browser)
    assert "Stopping" not in browser.find_element(By.ID, "fleet").text
    browser.execute_script("getSelection().removeAllRanges()")
    refresh(browser)
    assert "Stopping" in browser.find_element(By.ID, "fleet").text


def test_it_says_when_nobody_answers(browser: Chrome, ecs: LocalEcs, clock: Any) -> None:  # noqa: ANN401 - conftest's
    """Where the local ECS has been stopped, the page says that what it shows is old."""
    with serve(ecs, clock=clock.now) as endpoint:
        browser.get(endpoint)
        assert not browser.find_element(By.ID, "silence").is_displayed()
    refresh(browser)
    assert browser.find_element(By.ID, "silence").is_displayed()
    browser.get("about:blank")
    complaints(browser)


def test_instances_are_started_and_the_fleet_restarted(browser: Chrome, page: str, ecs: LocalEcs) -> None:
    """A stopped instance has a button that starts it; another brings the whole fleet back."""
    browser.find_element(By.ID, "start-i-off").click()
    WebDriverWait(browser, 10).until(lambda driver: driver.current_url == f"{page}/start#answer")
    assert "StartInstance 200" in browser.find_element(By.ID, "answer").text
    assert ecs.instance("i-off").status == "Starting"
    browser.find_element(By.ID, "reset").click()
    WebDriverWait(browser, 10).until(lambda driver: driver.current_url == f"{page}/")
    assert (ecs.instance("i-off").status, ecs.calls) == ("Stopped", ())
