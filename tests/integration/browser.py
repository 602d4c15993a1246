"""A real browser for the page: Debian's Chromium, driven by its own driver. Waits for conditions, never for time."""
import os
from pathlib import Path

import pytest

from gateway import eventually

# Selenium is imported where it is used: where it is not installed, the tests of the page fail, and the others run.


class Keys:
    """https://www.w3.org/TR/webdriver2/#keyboard-actions"""
    BACKSPACE, TAB, ENTER, SHIFT, ESCAPE = "\ue003", "\ue004", "\ue007", "\ue008", "\ue00c"


AXE = Path(os.environ.get("NODE_PATH", "")) / "axe-core" / "axe.min.js"


class Page:
    """What a person sees and does. Elements are found by CSS selectors and by their text."""

    def __init__(self, driver):
        self.driver = driver
        self.expected = []

    def open(self, url):
        self.driver.get(url)
        return self

    def js(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def all(self, css, text=None):
        """The visible elements, in order; text: only those with exactly this text."""
        return self.js("""return [...document.querySelectorAll(arguments[0])].filter((e) => e.checkVisibility()
            && (arguments[1] === null || e.innerText.trim() === arguments[1]));""", css, text)

    def one(self, css, text=None):
        return eventually(lambda: self.all(css, text), f"{css} {text or ''}")[0]

    def texts(self, css):
        return self.js("return [...document.querySelectorAll(arguments[0])].map((e) => e.innerText);", css)

    def text(self, css):
        return "\n".join(self.texts(css))

    def wait_for(self, text, css="body"):
        eventually(lambda: text in self.text(css), f"{text!r} in {css}, which says {self.text(css)[:2000]!r}")

    def wait_until(self, condition, *arguments):
        """condition: an expression of JavaScript."""
        return eventually(lambda: self.js(f"return {condition};", *arguments), condition)

    def comes_to_say(self, css, text):
        """Works without scripts in the page, and while the browser goes to another page."""
        from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException

        def says():
            try:
                return self.driver.find_element("css selector", css).text == text
            except (NoSuchElementException, StaleElementReferenceException):
                return False

        eventually(says, f"{css} says {text!r}")

    def click(self, css, text=None):
        """Works also if the page is written anew at that moment, as it is every 15 s."""
        from selenium.common.exceptions import StaleElementReferenceException

        def clicked():
            try:
                self.one(css, text).click()
            except StaleElementReferenceException:
                return False
            return True

        eventually(clicked, f"{css} {text or ''} is clicked")

    def keys(self, *keys, shift=False):
        from selenium.webdriver.common.action_chains import ActionChains
        chain = ActionChains(self.driver)
        if shift:
            chain.key_down(Keys.SHIFT)
        for key in keys:
            chain.send_keys(key)
        if shift:
            chain.key_up(Keys.SHIFT)
        chain.perform()

    def tab_to(self, css, text=None, back=False, most=60):
        """Moves by the Tab key alone, as somebody without a mouse does."""
        for _ in range(most):
            self.keys(Keys.TAB, shift=back)
            if self.js("""const e = document.activeElement;
                return e.matches(arguments[0]) && (arguments[1] === null || e.innerText.trim() === arguments[1]);""", css, text):
                return
        raise AssertionError(f"{most} times Tab do not lead to {css} {text or ''}, but to {self.focused()}")

    def focused(self):
        return self.js("return document.activeElement.outerHTML.slice(0, 200);")

    def ready(self):
        """The modules have shown what the API says."""
        self.wait_until("document.getElementById('when').textContent !== ''")
        return self

    def refresh(self):
        """Does now what the page does every 15 s."""
        self.js("dispatchEvent(new Event('online'));")

    def rows(self):
        """Jobs and labels in the table, as a person reads them."""
        return [" ".join(text.split()) for text in self.texts("#groups tbody tr.row td.group")]

    def size(self, width, height=900):
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                                    {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500})

    def scheme(self, name):
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [
            {"name": "prefers-color-scheme", "value": name}, {"name": "prefers-reduced-motion", "value": "reduce"}]})

    def scripts(self, on):
        self.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": not on})

    def fits(self):
        """Checks that nothing is wider than the window."""
        wide = self.js("""const w = document.documentElement.clientWidth;
            return document.documentElement.scrollWidth <= w ? [] : [...document.querySelectorAll('body *')]
                .filter((e) => e.getBoundingClientRect().right > w + 1 && e.checkVisibility() && !e.closest('.away'))
                .map((e) => e.outerHTML.slice(0, 120));""")
        assert wide == []

    def accessible(self):
        """Checks that axe finds nothing, in the light and in the dark colours."""
        if not self.js("return !!window.axe;"):
            self.js(AXE.read_text(encoding="utf-8"))
        for scheme, only in ("light", None), ("dark", ["color-contrast"]):
            self.scheme(scheme)
            found = self.driver.execute_async_script("""
                const [only, done] = arguments;
                axe.run(document, {resultTypes: ['violations'], ...only && {runOnly: only}}).then((r) => done(r.violations), (e) => done(String(e)));
                """, only)
            assert [{"rule": v["id"], "what": v["help"], "where": [n["html"][:200] + str(n["any"])[:300] for n in v["nodes"][:3]]}
                    for v in found] == [], scheme
        self.scheme("light")

    def complaints(self):
        """The complaints of the browser since the last call. Chromium asks for /favicon.ico where a page is no HTML, and
        so names no icon: by itself, some time after the page is there."""
        return [line["message"] for line in self.driver.get_log("browser")
                if line["level"] == "SEVERE" and "/favicon.ico - " not in line["message"]]

    def expect(self, *complaints):
        """The browser will have complained of this by the end of the test: it may do so after the page has shown why."""
        self.expected += complaints


@pytest.fixture(scope="session")
def chromium(tmp_path_factory):
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service
    options = webdriver.ChromeOptions()
    for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1280,900",
                 "--disable-background-networking", "--disable-component-update", "--no-first-run",
                 f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
    driver.set_script_timeout(60)
    yield driver
    driver.quit()


@pytest.fixture
def page(chromium):
    p = Page(chromium)
    p.scripts(True)
    p.size(1280)
    p.scheme("light")
    p.complaints()
    yield p
    p.open("about:blank")
    complaints = []

    def all_came():
        complaints.extend(p.complaints())
        return all(any(text in line for line in complaints) for text in p.expected)

    eventually(all_came, f"the browser complains of {p.expected}")
    # A page of a gateway that the test itself has ended may ask once more before it is left.
    known = [*p.expected, "net::ERR_CONNECTION_REFUSED"]
    assert [line for line in complaints if not any(text in line for text in known)] == []
