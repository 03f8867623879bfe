"""What revisions may be called, and what may be said of them."""

import pytest
from alembic import command
from alembic.util import CommandError
from sqlalchemy import Engine

from tests.engine.catalog.conftest import grown, heads, names
from tests.fixtures.small_project import SmallProject, execute


@pytest.mark.parametrize(
    ("given", "second"),
    [("mine", "mine_2"), ("20261126", "20261126_2"), ("2.0.9", "2.0.10")],
)
def test_a_given_name_where_there_are_two_revisions(project: SmallProject, given: str, second: str) -> None:
    more = grown(project)
    more.revise("more", rev_id=given)
    assert heads(more) == {second}
    more.run(command.upgrade, "head")
    assert more.differences() == []


def test_numbered_names_stay_numbered(empty: Engine, project: SmallProject) -> None:
    project.revise("a number", rev_id="1.9")
    project.run(command.upgrade, "head")
    more = grown(project)
    more.revise("more")
    assert heads(more) == {"1.11"}


@pytest.mark.parametrize("length", [32, 33])
def test_a_name_as_long_as_the_table_of_versions_holds(project: SmallProject, length: int) -> None:
    if length == 32:
        project.revise("long", rev_id="x" * length)
        project.run(command.upgrade, "head")
        assert names(project) == ["x" * length]
        return
    with pytest.raises(CommandError, match=r"has 33 characters; alembic_version holds 32.\nNext: "):
        project.revise("long", rev_id="x" * length)
    assert len(project.files()) == 1


def test_the_second_name_may_be_too_long_too(project: SmallProject) -> None:
    with pytest.raises(CommandError, match="has 33 characters"):
        grown(project).revise("more", rev_id="x" * 31)
    assert len(project.files()) == 1


@pytest.mark.parametrize("wider", ["varchar(33)", "text"])
def test_a_name_that_nothing_looked_at_is_too_long(project: SmallProject, wider: str) -> None:
    """Of a merge Alembic asks nobody, and a person may write any."""
    project.run(command.revision, "left", rev_id="left", head="first")
    project.run(command.revision, "right", rev_id="right", head="first", splice=True)
    project.run(command.merge, ["left", "right"], message="both", rev_id="x" * 33)
    with pytest.raises(
        CommandError, match=r"has 33 characters; alembic_version holds 32; nothing was changed.\nNext: "
    ):
        project.run(command.upgrade, "head")
    assert names(project) == ["first"]
    with project.engine.begin() as connection:
        execute(connection, f"ALTER TABLE alembic_version ALTER version_num TYPE {wider}")
    project.run(command.upgrade, "head")
    assert names(project) == ["x" * 33]


@pytest.mark.parametrize("message", ['say "hello"', 'the """end"""', "C:\\new", "it's ${x} %s :y", "über\nzwei Zeilen"])
def test_a_message_of_any_characters(project: SmallProject, message: str) -> None:
    project.revise(message)
    project.run(command.upgrade, "head")
