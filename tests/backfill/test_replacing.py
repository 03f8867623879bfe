"""`load --replace` deletes rows of the file's own name, and of no other file."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from backfill.loading import Loaded
from backfill.publishing import NotSaid
from tests.backfill.conftest import Sql, load_file, run, verify
from tests.backfill.test_publishing import lines


def test_replacing_a_file_deletes_nothing_of_others(migrated: Engine, sql: Sql, tmp_path: Path) -> None:
    """May is exported anew, corrected, with the first line of June; a late file has a line of each."""

    def loads(name: str, *numbers: int, **options: Any) -> Loaded:
        (tmp_path / name).write_text(lines(*numbers))
        return load_file(migrated, tmp_path / name, **options)

    loads("may.csv", 1, 2, 3)
    loads("june.csv", 4, 5, 6)
    run(migrated)
    with pytest.raises(NotSaid) as refused:
        loads("may.csv", 1, 2, 4, 9)
    said = str(refused.value)
    assert "1 lines of an earlier load of that name are missing in it; 1 lines of it are in already, from " in said
    assert "june.csv (1)." in said
    assert "the 1 rows of may.csv that it lacks are deleted. Of the other files nothing is deleted" in said
    loaded = loads("may.csv", 1, 2, 4, 9, meant="replace")
    assert (loaded.added, loaded.removed, loaded.shared) == (1, 1, 1)
    late = loads("late.csv", 1, 5, 7, meant="replace")
    assert (late.added, late.removed, late.shared) == (1, 0, 2)
    run(migrated)
    events = "SELECT (event_data ->> 'n')::int FROM analytics.analytics_events WHERE event_type = 'view' ORDER BY 1"
    assert [n for (n,) in sql(events)] == [1, 2, 4, 5, 6, 7, 9]
    assert loads("june.csv", 4, 5, 6).already
    assert verify(migrated)[0].holds
