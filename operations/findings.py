"""What a command found out about a database: a verdict a line, and what to do next."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, Self

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

Verdict = Literal["ok", "warning", "failed", "unknown"]

STYLES: dict[Verdict, str] = {"ok": "green", "warning": "yellow", "failed": "bold red", "unknown": "magenta"}


@dataclass(frozen=True)
class Finding:
    """One line: which check, its verdict, what was seen, and what to do about it ("" where nothing is to be done).

    `unknown` means that it could not be looked at, for example for lack of a privilege; `detail` says why.
    """

    check: str
    verdict: Verdict
    detail: str
    remedy: str = ""


@dataclass(frozen=True)
class Check:
    """A question that a command asks: `meaning` says what it looks at and why, `remedy` what to do when it fails.

    The reference of all checks in docs is made from these.
    """

    name: str
    meaning: str
    remedy: str

    def ok(self, detail: str) -> Finding:
        return Finding(self.name, "ok", detail)

    def warning(self, detail: str, remedy: str | None = None) -> Finding:
        """Worth a look, but nothing that speaks against going on."""
        return Finding(self.name, "warning", detail, remedy or self.remedy)

    def failed(self, detail: str, remedy: str | None = None) -> Finding:
        return Finding(self.name, "failed", detail, remedy or self.remedy)

    def unknown(self, detail: str, remedy: str | None = None) -> Finding:
        """Not looked at; the command says so rather than calling it well."""
        return Finding(self.name, "unknown", detail, remedy or self.remedy)


@dataclass(frozen=True)
class Findings:
    """All that a command found, and what to type next."""

    findings: Sequence[Finding]
    next_step: str

    @property
    def well(self) -> bool:
        """Whether nothing failed."""
        return all(finding.verdict != "failed" for finding in self.findings)

    @property
    def exit_code(self) -> int:
        """0; 1: something failed; 3: nothing did, but not everything could be looked at."""
        return exit_code(self.findings)

    def after(self, first: str | None) -> Self:
        """The same, where something else is to be typed first: what these advise has to wait for it."""
        if first is None:
            return self
        left = [each if each.remedy == first else replace(each, remedy="") for each in self.findings]
        return replace(self, findings=left, next_step=first)


def exit_code(findings: Sequence[Finding]) -> int:
    """That of a command which found these."""
    verdicts = {finding.verdict for finding in findings}
    return 1 if "failed" in verdicts else 3 if "unknown" in verdicts else 0


def show(found: Findings, console: Console) -> None:
    """A line a finding, the remedies of what is not ok below, and what to type next."""
    if found.findings:
        console.print(verdicts(found))
    console.print(remedies(found))


def verdicts(found: Findings) -> Table:
    """A line a finding."""
    table = Table(box=None, pad_edge=False, show_header=False)
    for finding in found.findings:
        style = STYLES[finding.verdict]
        table.add_row(Text(finding.verdict, style=style), Text(finding.check), Text(finding.detail))
    return table


def remedies(found: Findings) -> Group:
    """What to do about what is not ok, and what to type next; each preceded by an empty line.

    Where what to type next is the remedy, it is said once.
    """
    lines: list[Text] = []
    for finding in found.findings:
        if finding.verdict != "ok" and finding.remedy not in ("", found.next_step):
            lines.append(Text(f"{finding.check}: ", style=STYLES[finding.verdict]).append(finding.remedy, style=""))
    return Group(*([Text(), *lines] if lines else []), Text(f"\nNext: {found.next_step}"))
