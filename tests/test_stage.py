"""The tour as slides in a real browser, with the network off: what is stored is shown, and a cell runs live."""

import re
import shutil

import browser
import pytest

from labutils import bootstrap, places

STAGE = places.ROOT / "docs" / "stage.md"
HEADING = ".reveal .slides section.present :is(h1, h2)"


@pytest.fixture(autouse=True)
def chromium():
    browser.need()


def test_the_tour_is_slides(tmp_path):
    (told,) = re.findall(r"the address is `(/rise/[^`]+)`", STAGE.read_text(encoding="utf-8"))
    (tmp_path / bootstrap.FIRST).parent.mkdir()  # as in the checkout, which is the root of `open`
    shutil.copy(places.ROOT / bootstrap.FIRST, tmp_path / bootstrap.FIRST)
    with browser.lab(tmp_path) as address, browser.page(1280, 720) as page:
        page.goto(address.replace("/doc/tree/{name}", told))
        page.locator(".reveal .slides section.present").first.wait_for()
        page.locator(HEADING, has_text="Where finetuning fits in").wait_for()
        seen = [page.locator(HEADING).first.inner_text()]
        while len(seen) < 20:
            page.keyboard.press("Space")
            for _ in range(10):  # a busy machine takes its time, and the last slide stays
                page.wait_for_timeout(1000)
                if (heading := page.locator(HEADING).first.inner_text()) != seen[-1]:
                    break
            else:
                break
            seen.append(heading)
            if heading == "Does this machine work?":
                shown = page.locator(".reveal .slides section.present .jp-RenderedHTMLCommon table").first
                assert "memory" in shown.inner_text()
        assert [title[:10] for title in seen[:2]] == ["Where fine", "Ask four m"] and seen[-1] == "The map"
        assert len(seen) == 6
        code = page.locator(".reveal .slides section.present .jp-CodeCell").first
        before = code.locator(".jp-InputPrompt").inner_text()
        code.locator(".cm-content").click()
        page.keyboard.press("Shift+Enter")
        running = code.locator(".jp-InputPrompt", has_not_text=before)
        running.wait_for()
