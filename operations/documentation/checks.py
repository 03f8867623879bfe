"""docs/checks.md: every check of the rollout's commands, with its meaning and what to do when it fails."""

from collections.abc import Iterable, Sequence

from operations import monitor, verify
from operations.documentation.markdown import code, generated, table
from operations.findings import Check
from operations.monitor.thresholds import METRICS
from operations.preflight import preflight
from operations.rehearsal import gates
from operations.reporting import checks as report
from operations.rollback import checks as rollback

CHECKS: dict[str, Sequence[Check]] = {
    "sidb preflight": preflight.CHECKS,
    "sidb verify": verify.CHECKS,
    "sidb monitor": monitor.CHECKS,
    "sidb rollback and sidb restore": rollback.CHECKS,
    "sidb report": report.CHECKS,
    "sidb rehearse": gates.CHECKS,
}
"""The checks of each command, in the order in which they are usually run."""


def page() -> str:
    """A table for each command, and the limits of what is measured."""
    return "\n".join(
        [
            generated("the `CHECKS` of each command"),
            "# Checks\n",
            "A check says `ok`, `warning` (worth a look, but nothing against going on), `failed` (exit code 1), or"
            " `unknown`: it could not look, and says why (exit code 3, where nothing failed). Below it says what"
            " to do, in the words of the last column.\n",
            *(f"## {command}\n\n{of(checks)}" for command, checks in CHECKS.items()),
            "## Limits\n",
            "What `sidb monitor` measures, under the names that Prometheus knows, with the limits of its verdicts."
            " [alerts.yml](alerts.yml) holds the same limits as alert rules, for `rule_files` of Prometheus.\n",
            limits(),
        ]
    )


def of(checks: Iterable[Check]) -> str:
    return table(["check", "meaning", "when it fails"], ([each.name, each.meaning, each.remedy] for each in checks))


def limits() -> str:
    return table(
        ["figure", "meaning", "unit", "warning", "failed", "of check"],
        (
            [
                code(each.name),
                each.meaning,
                "1 or 0" if each.unit == "yes" else each.unit,
                beyond(each.warning, each.below),
                beyond(each.failed, each.below),
                each.check.name,
            ]
            for each in METRICS
        ),
    )


def beyond(limit: float | None, below: bool) -> str:
    return "" if limit is None else f"{'below' if below else 'above'} {limit:,.10g}"
