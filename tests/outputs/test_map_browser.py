"""The map in a real browser with no network: it asks for nothing, complains of nothing, and shows names as names."""

import json
import shutil
from pathlib import Path

import pytest

from tests.outputs.made import HOSTILE

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DRIVER = shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(not (BROWSER and DRIVER), reason="no Chromium with its driver is installed here")


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    """A headless Chromium that cannot reach any network."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for flag in (
        "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking",
        "--disable-component-update", "--disable-sync", "--no-first-run", "--window-size=1400,900",
        "--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={tmp_path_factory.mktemp('chromium')}",
    ):  # fmt: skip
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    browser = webdriver.Chrome(options=options, service=Service(DRIVER))
    browser.execute_cdp_cmd("Network.enable", {})
    browser.execute_cdp_cmd(
        "Network.emulateNetworkConditions",
        {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0},
    )
    yield browser
    browser.quit()


def opened(driver, path: Path):
    """Open a page afresh and return the browser."""
    driver.get_log("browser")
    driver.get_log("performance")
    driver.get(path.as_uri())
    return driver


def requests(driver) -> list[str]:
    """Return every address that was asked for, data addresses aside."""
    messages = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    sent = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    return [url for url in sent if not url.startswith("data:")]


def click(driver, words: str) -> None:
    """Press the button that reads so."""
    driver.execute_script(
        "[...document.querySelectorAll('button')].find((b) => b.textContent.trim() === arguments[0]).click()", words
    )


def everything(driver) -> None:
    """Use every part of the page: tabs, state, language, layers, colours, each community, each action."""
    for words in ("社区", "方案", "说明", "方案实施后", "English", "Plan", "About", "中文", "总览"):
        click(driver, words)
    driver.execute_script(
        """
        for (const box of document.querySelectorAll('.key input')) if (!box.checked) box.click();
        for (const value of ['by_share', 'by_area', 'by_verdict']) {
          const choice = document.querySelector('.key select');
          choice.value = value;
          choice.dispatchEvent(new Event('change'));
        }
        map_coverage.eachLayer((layer) => { if (layer.getPopup && layer.getPopup()) layer.openPopup(); });
        """
    )


def test_the_map_asks_for_nothing_and_complains_of_nothing(driver, written):
    opened(driver, written["map"])
    everything(driver)
    assert requests(driver) == [written["map"].as_uri()]
    assert driver.get_log("browser") == []


def test_no_name_runs(driver, written):
    opened(driver, written["map"])
    everything(driver)
    assert driver.execute_script("return window.hacked === undefined")
    assert driver.execute_script("return document.querySelectorAll('#siting-app img, #siting-app script').length") == 0


def test_a_hostile_name_is_read_in_the_list_and_in_the_sheet(driver, written):
    opened(driver, written["map"])
    click(driver, "社区")
    listed = driver.execute_script(
        "return [...document.querySelectorAll('.list .what')].map((n) => n.firstChild.textContent)"
    )
    assert listed[: len(HOSTILE) - 1] == HOSTILE[:-1]
    driver.execute_script("document.querySelectorAll('.list button')[1].click()")
    assert driver.execute_script("return document.querySelector('.sheet h3').textContent") == HOSTILE[1]


def test_an_injected_handler_or_script_is_dead_under_the_policy(driver, written):
    opened(driver, written["map"])
    driver.execute_script(
        """
        const node = document.createElement('div');
        node.innerHTML = '<img src="x" onerror="window.hacked=1"><b onclick="window.hacked=1">b</b>';
        document.body.append(node);
        node.querySelector('b').click();
        const script = document.createElement('script');
        script.textContent = 'window.hacked=1';
        document.body.append(script);
        """
    )
    assert driver.execute_script("return window.hacked === undefined")
    assert driver.get_log("browser")  # the policy says what it stopped


def test_the_state_after_the_plan_is_another_picture_with_other_counts(driver, written, results):
    opened(driver, written["map"])
    count = "return Number(document.querySelector('.key .row b').textContent)"
    before = driver.execute_script(count)
    click(driver, "方案实施后")
    assert before == int(results.scorecard.communities["meets"].eq("pass").sum())
    assert driver.execute_script(count) == int(results.after.communities["meets"].eq("pass").sum())
    assert driver.execute_script("return document.querySelectorAll('.act').length") == len(results.plan.actions)


def test_the_language_button_changes_every_word(driver, written):
    opened(driver, written["map"])
    assert driver.execute_script("return document.documentElement.lang") == "zh-CN"
    click(driver, "English")
    assert driver.execute_script("return document.documentElement.lang") == "en"
    tabs = driver.execute_script("return [...document.querySelectorAll('.tabs button')].map((b) => b.textContent)")
    assert tabs == ["Overview", "Communities", "Plan", "About"]


def test_the_report_opens_without_a_word_too(driver, written):
    opened(driver, written["report"])
    assert requests(driver) == [written["report"].as_uri()]
    assert driver.get_log("browser") == []
