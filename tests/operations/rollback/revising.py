"""One more revision, as a developer writes it, for tests of what a rollback keeps of it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL

from operations import upgrade
from tests.engine.test_data_loss import ByHand
from tests.fixtures.databases import Alembic

Revise = Any


@pytest.fixture
def revise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Revise:
    """``revise(url, up, down, *dropped)``: a developer has written one more revision, which is upgraded to."""

    def make(url: URL, up: str, down: str, *dropped: str, changes: Sequence[str] = ()) -> Alembic:
        by_hand = ByHand(url, tmp_path / "versions", x=("deadline=20s",))
        said = {
            "upgrade": [[f"added {each}" for each in changes]],
            "downgrade": [[f"removed {each}" for each in changes]],
        }
        drops = {"upgrade": [], "downgrade": [*dropped]}
        by_hand.write(up, down, more=f"\n\ndrops = {drops}\nchanges = {said}\n")
        monkeypatch.setattr(upgrade, "_config", by_hand.config)
        by_hand.upgrade()
        return by_hand

    return make


def add_column(revise: Revise, url: URL, relation: str, column: str = "remark text") -> Alembic:
    """A revision that adds a column to a table of ours."""
    name = f"{relation}.{column.partition(' ')[0]}"
    up = f'op.execute("ALTER TABLE {relation} ADD COLUMN {column}")'
    down = f'op.execute("ALTER TABLE {relation} DROP COLUMN {name.rpartition(".")[2]}")'
    added: Alembic = revise(url, up, down, name, changes=[f"column {name}"])
    return added
