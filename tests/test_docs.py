"""What the documents name exists: files, headings, commands, make targets.

https://github.github.com/gfm/
"""

import re
from pathlib import Path

import pytest
import typer

from api.cli import cli
from fhir_mappings.registry import build_registry

ROOT = Path(__file__).parents[1]
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"```.*?```", re.DOTALL)
COMMAND = re.compile(r"(?:\bbin/|`)alongside +([a-z][a-z-]*)(?: +([a-z][a-z-]*))?")
TARGET = re.compile(r"(?:^|`|[\s(])make ([a-z]+)\b", re.MULTILINE)
GROUPS = {
    "audit",
    "clients",
    "connections",
    "import",
    "instruments",
    "issuers",
    "keys",
    "maintenance",
    "series",
}
CODE = re.compile(r"```sh\n(.*?)```|`([^`\n]+)`", re.DOTALL)


def documents() -> list[str]:
    """Return every document, those of installed packages left out."""
    found = [*ROOT.glob("*.md")]
    for folder in ("api", "bench", "deploy", "docs", "tests"):
        found += (ROOT / folder).rglob("*.md")
    return sorted(str(each.relative_to(ROOT)) for each in found)


def anchors(text: str) -> set[str]:
    """Return the anchors of a document's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ +(.+?) *$", FENCE.sub("", text), re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.replace(" ", "-") for heading in plain}


def code(text: str) -> str:
    """Return what stands as code: commands in prose are not commands."""
    return "\n".join(block or f"`{inline}`" for block, inline in CODE.findall(text))


def subcommands() -> set[str]:
    group = typer.main.get_command(cli)
    found = set()
    for name, command in group.commands.items():
        found.add(name)
        found |= {f"{name} {inner}" for inner in getattr(command, "commands", {})}
    return found


@pytest.mark.parametrize("name", documents())
def test_every_relative_link_leads_somewhere(name):
    document = ROOT / name
    for target in LINK.findall(FENCE.sub("", document.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (document.parent / path).resolve() if path else document
        assert file.exists(), f"{name}: {target}"
        assert file.is_relative_to(ROOT), f"{name}: {target}"
        if anchor:
            assert anchor in anchors(file.read_text(encoding="utf-8")), f"{name}: {target}"


@pytest.mark.parametrize("name", documents())
def test_every_subcommand_that_is_named_exists(name):
    known = subcommands()
    families = {each.split()[0] for each in known if " " in each}
    for first, second in COMMAND.findall(code((ROOT / name).read_text(encoding="utf-8"))):
        named = f"{first} {second}" if first in families and second else first
        assert named in known, f"{name}: alongside {named}"


@pytest.mark.parametrize("name", documents())
def test_every_make_target_that_is_named_exists(name):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    for target in TARGET.findall(code((ROOT / name).read_text(encoding="utf-8"))):
        assert target in targets, f"{name}: make {target}"


def test_the_operators_guide_has_every_command():
    guide = (ROOT / "docs" / "guide-operator.md").read_text(encoding="utf-8")
    shown = {each for each in subcommands() if each not in GROUPS | {"bench-form"}}
    assert [each for each in sorted(shown) if f"`alongside {each}`" not in guide] == []


def test_the_ehr_guide_has_every_search_parameter():
    guide = (ROOT / "docs" / "guide-ehr.md").read_text(encoding="utf-8")
    for kind in build_registry().types:
        names = " ".join(f"`{each.name}`" for each in kind.parameters)
        assert f"| {kind.name} | {names} |" in guide


def test_every_test_that_the_table_of_smart_names_exists():
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "docs" / "smart.md").read_text("utf-8")))
    sources = [each.read_text("utf-8") for each in (ROOT / "tests").rglob("test_*.py")]
    defined = {name for text in sources for name in re.findall(r"def (test_\w+)\(", text)}
    assert sorted(named - defined) == []
    assert len(named) > 20
