"""The console in Chromium, against a real server. Screenshots are left in out/ui/ to be looked at."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from heliograph.samples import INVOICE, RECEIPT
from tests.conformance import recordings
from tests.live import Server, running_server

OUT = Path(__file__).resolve().parents[2] / "out" / "ui"
QUIET = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("console") / "data") as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if not chromium:
        pytest.skip("Chromium is not installed (apt-get install chromium)")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=QUIET)
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Browser, server: Server, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A fresh tab with the key given. Ends with a look at whether the browser complained, of a broken policy for instance."""
    options = getattr(request, "param", {"viewport": {"width": 1360, "height": 900}})
    context = browser.new_context(**options)
    tab = context.new_page()
    complaints: list[str] = []
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    tab.goto(server.url)
    give_key(tab, server.key)
    yield tab
    context.close()
    assert not [said for said in complaints if "the server responded with a status of 4" not in said]


def give_key(page: Page, key: str) -> None:
    page.get_by_label("API key").fill(key)
    page.get_by_role("button", name="Continue").click()


def ask(page: Page, file: Path, domain: str) -> None:
    page.locator("#file").set_input_files(file)
    page.get_by_label("Kind of document or recording").select_option(domain)
    page.get_by_role("button", name="Extract").click()
    expect(page.locator("#answer")).to_be_visible(timeout=60_000)
    expect(page.locator(".page img").first).to_be_visible(timeout=20_000)


def picture(page: Page, name: str) -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    page.wait_for_timeout(600)  # smooth scrolling comes to rest
    page.screenshot(path=OUT / f"{name}.png")


def test_a_value_lights_its_box_and_a_box_lights_its_value(page: Page) -> None:
    ask(page, INVOICE, "document.invoice")
    value = page.locator("button.value[data-path=invoice_id]")
    box = page.locator(".box[data-path=invoice_id]")
    expect(value).to_contain_text("BW-2026-0318")
    value.hover()
    expect(box).to_have_class("box " + (value.get_attribute("class") or "").split()[1] + " lit")
    expect(value.locator(".cite")).to_be_visible()
    picture(page, "console-desktop")
    page.locator(".box[data-path=invoice_due_date]").hover()
    expect(page.locator("button.value[data-path=invoice_due_date]")).to_have_class("value " + tone(page, "invoice_due_date") + " lit")
    expect(box).not_to_have_class("lit")


def tone(page: Page, path: str) -> str:
    return (page.locator(f".box[data-path={path}]").first.get_attribute("class") or "").split()[1]


def test_the_box_lies_where_the_words_are_in_the_picture(page: Page) -> None:
    ask(page, INVOICE, "document.invoice")
    across, down = page.evaluate(
        """() => {
            const frame = document.querySelector(".page").getBoundingClientRect();
            const box = document.querySelector(".box[data-path=invoice_id]").getBoundingClientRect();
            return [(box.x - frame.x) / frame.width, (box.y - frame.y) / frame.height];
        }"""
    )  # in one moment: the page scrolls
    # "BW-2026-0318" stands at the right of the page, a sixth of the way down (tools/draw_samples.py).
    assert 0.78 < across < 0.82
    assert 0.14 < down < 0.17


def test_the_keyboard_is_enough(page: Page) -> None:
    ask(page, INVOICE, "document.invoice")
    page.locator("#fields button[tabindex='0']").focus()
    first = page.evaluate("document.activeElement.dataset.path")
    page.keyboard.press("ArrowDown")
    second = page.evaluate("document.activeElement.dataset.path")
    assert first != second
    expect(page.locator(f".value.lit[data-path='{second}']")).to_be_visible()
    page.keyboard.press("Shift+Tab")
    assert page.evaluate("document.activeElement.id") == "copy", "one Tab stop for all values"


def test_a_reload_keeps_the_answer(page: Page) -> None:
    ask(page, INVOICE, "document.invoice")
    page.reload()
    expect(page.locator("button.value[data-path=invoice_id]")).to_contain_text("BW-2026-0318", timeout=20_000)


@pytest.mark.parametrize("page", [{"viewport": {"width": 390, "height": 844}, "has_touch": True, "color_scheme": "dark"}], indirect=True)
def test_a_phone_shows_one_column_without_sideways_scrolling(page: Page) -> None:
    ask(page, RECEIPT, "document.receipt")
    widths = page.evaluate("[document.scrollingElement.scrollWidth, innerWidth]")
    assert widths[0] <= widths[1]
    where = (
        "[document.querySelector('.pages').getBoundingClientRect().bottom, document.querySelector('.values').getBoundingClientRect().top]"
    )
    pages_end, values_begin = page.evaluate(where)  # in one moment: the page scrolls
    assert values_begin >= pages_end
    picture(page, "console-phone")


def test_a_wrong_key_is_said_and_can_be_mended(page: Page, server: Server) -> None:
    page.get_by_role("button", name="Change key").click()
    give_key(page, "hg_wrong")
    expect(page.get_by_role("alert")).to_contain_text("key")
    give_key(page, server.key)
    expect(page.get_by_role("button", name="Extract")).to_be_visible()
    expect(page.get_by_role("alert")).to_be_hidden()


def test_a_file_that_cannot_be_read_is_said(page: Page, tmp_path: Path) -> None:
    broken = tmp_path / "broken.pdf"
    broken.write_bytes(b"%PDF-1.7\nnothing more")
    page.locator("#file").set_input_files(broken)
    page.get_by_role("button", name="Extract").click()
    expect(page.get_by_role("alert")).to_be_visible(timeout=30_000)
    expect(page.get_by_role("alert")).to_contain_text("damaged")
    expect(page.get_by_role("button", name="Extract")).to_be_enabled()


def test_an_own_schema_is_checked_proposed_and_answered(page: Page) -> None:
    page.get_by_role("tab", name="Own schema").click()
    page.get_by_label("JSON Schema").fill('{"type": "object", ')
    page.locator("#file").set_input_files(INVOICE)
    page.get_by_role("button", name="Extract").click()
    expect(page.locator("#schema-error")).to_contain_text("Not a schema")
    page.get_by_role("button", name="Propose one from the file").click()
    expect(page.get_by_label("JSON Schema")).to_have_value(re.compile("properties"), timeout=30_000)
    page.get_by_role("button", name="Extract").click()
    expect(page.locator("#answer")).to_be_visible(timeout=30_000)
    expect(page.locator("#fields .value, #fields .cell").first).to_be_visible()


def test_a_recording_is_read_by_its_own_domain_and_heard_where_a_row_says(page: Page, tmp_path: Path) -> None:
    page.locator("#file").set_input_files(recordings.talk(tmp_path))
    expect(page.get_by_label("Kind of document or recording")).to_have_value("video.transcription", timeout=20_000)
    page.get_by_role("button", name="Extract").click()
    row = page.locator("button.value[data-path='segments[0]']")
    expect(row).to_contain_text("best of times", timeout=90_000)
    expect(row).to_contain_text("Quarterly review")
    page.wait_for_function("document.querySelector('video').readyState >= 1")
    page.evaluate("document.querySelector('video').currentTime = 5")
    row.click()
    assert page.evaluate("document.querySelector('video').currentTime") == 0
    picture(page, "console-recording")
    page.locator("#file").set_input_files(INVOICE)
    expect(page.get_by_label("Kind of document or recording")).to_have_value("document.invoice")


def test_the_api_reference_shows_every_operation(page: Page, server: Server) -> None:
    page.goto(server.url + "/docs")
    expect(page.get_by_text("/v1/document/generate", exact=True)).to_be_visible(timeout=20_000)
    expect(page.locator(".errors-wrapper, .version-pragma__message")).to_have_count(0)
    picture(page, "reference")
