"""The generated pages of docs/: up to date, complete, and such that Mermaid and Markdown can read them."""

import re
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Connection, Engine, text

from models import ANALYTICS, SQL_FILES, Base
from operations.documentation import DOCS, pages
from operations.documentation.markdown import table
from tests.fixtures.databases import Clone

Connect = Callable[..., Engine]

# Mermaid's grammar, as far as the diagram uses it; a type or a name that does not fit keeps all of it from being drawn.
ENTITY = r'    "[\w.]+" \{'
ATTRIBUTE = r"        [A-Za-z_][\w\[\]()-]* [A-Za-z_]\w*( (PK|FK)(, (PK|FK))*)?"
RELATIONSHIP = r'    "[\w.]+" (\|o|\|\|)--o\{ "[\w.]+" : \w+'


@pytest.fixture
def created(clone: Clone, connect: Connect) -> Iterator[Connection]:
    with connect(clone("created")).connect() as connection:
        yield connection


def test_the_pages_are_up_to_date(created: Connection) -> None:
    out_of_date = [
        name
        for name, page in pages(created).items()
        if not (DOCS / name).exists() or (DOCS / name).read_text(encoding="utf-8") != page
    ]
    assert not out_of_date, "write them anew: make docs"


def test_a_changed_comment_and_a_new_column_change_the_page(created: Connection) -> None:
    before = pages(created)["schema.md"]
    created.execute(text("COMMENT ON COLUMN analytics.trend_cache.trend_id IS 'a | bar'"))
    created.execute(text("ALTER TABLE analytics.trend_cache ADD COLUMN extra text"))
    added = set(pages(created)["schema.md"].splitlines()) - set(before.splitlines())
    assert len(added) == 3
    assert {line for line in added if line.startswith("| `trend_id` |") and line.endswith("| a \\| bar |")}
    assert {"        text extra", "| `extra` | text | yes |  |  |"} <= added


def test_every_object_of_the_models_is_in_the_reference(created: Connection) -> None:
    lines = set(pages(created)["schema.md"].splitlines())
    starts = {line.partition(" |")[0] for line in lines}
    for of_model in Base.metadata.tables.values():
        assert f"### {of_model.schema or 'public'}.{of_model.name}" in lines
        assert {f"| `{column.name}`" for column in of_model.columns} <= starts
        assert {f"| `{index.name}`" for index in of_model.indexes} <= starts
        keys = {of_model.primary_key} if not of_model.primary_key.columns else set()
        assert {f"| `{constraint.name}`" for constraint in of_model.constraints - keys} <= starts
    for declared in SQL_FILES:
        name = f"{ANALYTICS}.{declared.name}"
        if declared.kind == "function":
            assert any(start.startswith(f"| `{name}(") for start in starts)
        elif declared.kind != "trigger":
            assert f"### {name}" in lines
    triggers = created.scalars(text("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal")).all()
    assert {f"| `{trigger}`" for trigger in triggers} <= starts


def test_every_column_has_a_meaning(created: Connection) -> None:
    """Of tables by the model's comment or doc, of views by the comment in their SQL file."""
    page = pages(created)["schema.md"]
    sections = page.partition("## Tables and views")[2].partition("## Functions")[0]
    columns = re.findall(r"^\| `\w+` \| (?:.* \| (?:yes|no) \| .*|[a-z][^`]*) \| (.*) \|$", sections, re.MULTILINE)
    assert len(columns) > 100
    assert all(columns)


def test_mermaid_can_read_the_diagram(created: Connection) -> None:
    page = pages(created)["schema.md"]
    first, *lines = page.partition("```mermaid\n")[2].partition("\n```")[0].splitlines()
    assert first == "erDiagram"
    for line in lines:
        assert re.fullmatch(f"{ENTITY}|{ATTRIBUTE}|    }}|{RELATIONSHIP}", line), line
    keys = sum(len(of_model.foreign_keys) for of_model in Base.metadata.tables.values())
    assert sum(re.fullmatch(RELATIONSHIP, line) is not None for line in lines) == keys > 0


def test_links_lead_somewhere() -> None:
    """Within docs/: to files that are there, and to headings of the same page."""
    broken = []
    for page in sorted(DOCS.glob("*.md")):
        markdown = page.read_text(encoding="utf-8")
        headings = {anchor(heading) for heading in re.findall(r"^#+ (.+)$", markdown, re.MULTILINE)}
        for target in re.findall(r"\]\(([^)\s]+)\)", markdown):
            path, _, heading = target.partition("#")
            found = "://" in target or (page.parent / path).exists() if path else heading in headings
            if not found:
                broken.append(f"{page.name}: {target}")
    assert not broken


def anchor(heading: str) -> str:
    """As GitHub makes it from a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_a_cell_cannot_break_the_table() -> None:
    assert table(["a", "b"], [["x|y", None], ["two\nlines", ""]]) == (
        "| a | b |\n| --- | --- |\n| x\\|y |  |\n| two lines |  |\n"
    )


def test_the_pages_do_not_depend_on_where_they_are_made(created: Connection) -> None:
    assert str(DOCS.parent) not in "".join(pages(created).values())
