"""Pages in Debian's Chromium, the demo's long commands on them: nothing runs off a narrow screen.

https://www.w3.org/WAI/WCAG22/Understanding/reflow
"""

import html
import shutil
import subprocess

import pytest

from tests.api.served import serve

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SCHEMES = {"dark": 0, "light": 1}
GROUND = {"dark": "rgb(22, 25, 29)", "light": "rgb(255, 255, 255)"}
STYLESHEET = '<link rel="stylesheet" href="/static/alongside.css">'
# A window is never narrower than 500 pixels, so the page stands in a frame and reports itself.
MEASURE = """<script>
const beyond = [...document.querySelectorAll("body *:not(.skip)")].filter(
  (each) => each.getBoundingClientRect().right > innerWidth + 1 || each.scrollWidth > innerWidth);
const {backgroundColor} = getComputedStyle(document.body);
parent.postMessage([innerWidth, document.documentElement.scrollWidth, beyond.length,
  backgroundColor].join(" "), "*");
</script></body>"""
FRAME = """<!doctype html><meta name="color-scheme" content="light dark"><title></title>
<script>onmessage = (event) => { document.title = event.data; };</script>
<iframe width="320" height="800" style="border: 0" srcdoc="PAGE"></iframe>"""

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="Chromium is not installed; on Debian: apt-get install chromium"
)


@pytest.fixture(scope="module")
def pages(loaded, tmp_path_factory):
    """The pages' HTML by path, style and measuring script inside."""
    folder = tmp_path_factory.mktemp("pages")
    with serve(str(loaded.engine.url), folder) as served:
        style = served.client.get("/static/alongside.css").text
        found = {path: served.client.get(path).text for path in ("/", "/docs")}
    assert all(STYLESHEET in text for text in found.values())
    return {
        path: text.replace(STYLESHEET, f"<style>{style}</style>").replace("</body>", MEASURE)
        for path, text in found.items()
    }


def measured(page: str, folder, *, scheme: str) -> list[str]:
    """Return inner width, width needed, how many elements lie beyond it, and the ground."""
    file = folder / "frame.html"
    file.write_text(FRAME.replace("PAGE", html.escape(page)), encoding="utf-8")
    command = (
        CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
        f"--user-data-dir={folder}/profile", "--virtual-time-budget=2000",
        f"--blink-settings=preferredColorScheme={SCHEMES[scheme]}", "--dump-dom", file.as_uri(),
    )  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.partition("<title>")[2].partition("</title>")[0].split(" ", 3)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("path", ["/", "/docs"])
def test_a_page_fits_a_screen_of_320_pixels(pages, tmp_path, path, scheme):
    assert ("alongside token" in pages[path]) == (path == "/")
    inner, needed, beyond, ground = measured(pages[path], tmp_path, scheme=scheme)
    assert (inner, needed, beyond) == ("320", "320", "0")
    assert ground == GROUND[scheme]
