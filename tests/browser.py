"""A headless Chromium for the tests of pages; without one they skip, and say why.

Every test that takes the fixture `browser` gets the same one.
"""

import atexit
import json
import shutil
from functools import cache

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
OPTIONS = ("headless=new", "no-sandbox", "disable-gpu", "disable-dev-shm-usage", "hide-scrollbars")


class Keys:
    """Keys that are no letters, as the WebDriver standard numbers them."""

    ENTER, CONTROL, SPACE = "\ue007", "\ue009", "\ue00d"
    END, HOME, ARROW_LEFT, ARROW_RIGHT, DELETE = "\ue010", "\ue011", "\ue012", "\ue014", "\ue017"


class Browser:
    """Opens pages from files, and tells what they asked for and complained about."""

    def __init__(self, driver):
        self.driver = driver

    def open(self, path, width=1400, height=900, scheme="light"):
        """Open a page as somebody would who double-clicks it."""
        screen = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
        wanted = [{"name": "prefers-color-scheme", "value": scheme}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": wanted})
        self.complaints(), self.requests()  # those of the page before
        self.driver.get(path.absolute().as_uri())
        return self

    def run(self, script, *arguments):
        """Return what a script gives that runs in the page."""
        return self.driver.execute_script(script, *arguments)

    def find(self, selector):
        """Return the one element that a CSS selector finds."""
        [found] = self.all(selector)
        return found

    def all(self, selector):
        """Return all elements that a CSS selector finds."""
        return self.driver.find_elements("css selector", selector)

    def text(self, selector):
        """Return the text of the one element, seen or not."""
        return self.find(selector).get_attribute("textContent")

    def click(self, selector):
        """Click the one element."""
        self.find(selector).click()

    def press(self, *keys):
        """Press keys, wherever the focus is."""
        self.driver.switch_to.active_element.send_keys(*keys)

    def complaints(self):
        """Return what stands in the console since the last call."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requests(self):
        """Return the addresses that have been asked for since the last call."""
        events = [json.loads(e["message"])["message"] for e in self.driver.get_log("performance")]
        sent = [e for e in events if e["method"] == "Network.requestWillBeSent"]
        return [event["params"]["request"]["url"] for event in sent]


@cache
def start():
    """Return a browser, or the reason why there is none."""
    found = [path for path in map(shutil.which, BROWSERS) if path]
    if not found:
        return f"no browser: none of {', '.join(BROWSERS)} is installed"
    driver = shutil.which("chromedriver")
    if driver is None:
        return f"no chromedriver to drive {found[0]} with"
    webdriver = pytest.importorskip("selenium.webdriver", reason="no selenium to drive a browser")
    options = webdriver.ChromeOptions()
    options.binary_location = found[0]
    for option in OPTIONS:
        options.add_argument(f"--{option}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = webdriver.ChromeService(executable_path=driver)
    started = webdriver.Chrome(options=options, service=service)
    atexit.register(started.quit)
    return Browser(started)


@pytest.fixture
def browser():
    """The one browser; afterwards no page may have complained, nor asked for anything else."""
    found = start()
    if isinstance(found, str):
        pytest.skip(found)
    yield found
    assert found.complaints() == []
    assert [url for url in found.requests() if not url.startswith(("file:", "blob:"))] == []
