"""Each planted fault is named by the checks that it concerns, and by no other."""

import pytest

from tests.fixtures.databases import Clone
from tests.operations.verify.conftest import look, plant, verdicts
from tests.operations.verify.faults import FAULTS, THEIR_RIGHT, Fault


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_is_named(fault: Fault, clone: Clone, inhabited: bool) -> None:
    url = clone(fault.template)
    try:
        plant(url, fault.plant)
        found = look(url)
    finally:
        if fault.undo:
            plant(url, fault.undo)
    failed = verdicts(found, "failed")
    assert set(failed) == set(fault.found), failed
    for check, named in fault.found.items():
        assert named.replace("{owner}", url.username or "") in failed[check]
    assert found.exit_code == 1
    assert found.next_step == "correct what failed, from the top; then sidb verify"
    # A plain owner may not read what is a stranger's now.
    strangers = ("a table", "Phase 1's table", "the schema of partitions")
    closed = inhabited and fault.name in [f"another owner of {what}" for what in strangers]
    assert bool(verdicts(found, "unknown")) == closed


@pytest.mark.parametrize("fault", THEIR_RIGHT, ids=lambda fault: fault.name)
def test_what_others_may_do_is_said(fault: Fault, clone: Clone) -> None:
    url = clone(fault.template)
    plant(url, fault.plant)
    found = look(url)
    assert not verdicts(found, "failed")
    said = verdicts(found, "ok")
    for check, named in fault.found.items():
        assert named in said[check]
