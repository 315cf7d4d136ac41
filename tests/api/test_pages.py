"""Pages: readable without script, from no other host, and clear about what this is not."""

import re
import sqlite3

import pytest

PAGES = ["/", "/docs"]


@pytest.mark.parametrize("path", PAGES)
def test_a_page_needs_no_script_and_no_other_host(served_on_sqlite, path):
    answer = served_on_sqlite.client.get(path)
    assert answer.headers["content-type"].startswith("text/html")
    assert "script" not in answer.text.lower().replace("description", "")
    assert re.findall(r'(?:src|href)="(https?://[^"]*)"', answer.text) == []
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "style=" not in answer.text


@pytest.mark.parametrize("path", PAGES)
def test_a_page_has_language_title_one_heading_and_a_way_past_the_links(served_on_sqlite, path):
    html = served_on_sqlite.client.get(path).text
    assert '<html lang="en">' in html
    assert "width=device-width" in html
    assert html.count("<h1") == 1
    assert '<a class="skip" href="#content">' in html
    assert 'id="content"' in html


def test_the_start_page_says_what_this_is_not_before_anything_else(served_on_sqlite):
    html = served_on_sqlite.client.get("/").text
    assert "Not an emergency service" in html
    assert "988" in html
    assert html.index("988") < html.index("Where to look")


@pytest.mark.parametrize("path", PAGES)
def test_every_link_leads_somewhere(served_on_sqlite, path):
    html = served_on_sqlite.client.get(path).text
    for link in set(re.findall(r'href="(/[^"]*)"', html)):
        assert served_on_sqlite.client.get(link).status_code == 200, link
    ids = set(re.findall(r'id="([^"]+)"', html))
    assert set(re.findall(r'href="#([^"]+)"', html)) <= ids


def test_the_operations_are_those_of_the_document(served_on_sqlite):
    html = served_on_sqlite.client.get("/docs").text
    document = served_on_sqlite.client.get("/openapi.json").json()
    for path in document["paths"]:
        assert path in html


def colours(css: str, dark: bool) -> dict[str, str]:
    part = (
        css.split("prefers-color-scheme: dark")[1] if dark else css.split("@media", maxsplit=1)[0]
    )
    return dict(re.findall(r"--(\w+): (#[0-9a-f]{6});", part))


def luminance(colour: str) -> float:
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize(
    ("text", "ground"),
    [("ink", "paper"), ("ink", "shade"), ("quiet", "paper"), ("link", "paper"), ("warn", "paper")],
)
def test_text_stands_out_from_its_ground_as_wcag_asks(served_on_sqlite, dark, text, ground):
    found = colours(served_on_sqlite.client.get("/static/alongside.css").text, dark)
    light, dim = sorted((luminance(found[text]), luminance(found[ground])), reverse=True)
    assert (light + 0.05) / (dim + 0.05) >= 4.5


def test_every_answer_forbids_guessing_its_type(served_on_sqlite):
    for path in ("/", "/health", "/fhir/metadata", "/nowhere", "/v1/groups"):
        headers = served_on_sqlite.client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"]


def test_readiness_asks_the_database(served):
    answer = served.client.get("/ready")
    assert answer.status_code == 200
    assert answer.json()["status"] == "ready"


def test_a_database_at_another_revision_is_not_ready(served_on_sqlite, tmp_path):
    with sqlite3.connect(tmp_path / "alongside.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'older'")
    connection.close()
    answer = served_on_sqlite.client.get("/ready")
    assert answer.status_code == 503
    assert "alongside migrate" in answer.json()["detail"]
