"""What `wimdock preflight` prints for people: images, hosts, checks, and the whole in one line.

Lines are folded at words to the width of a terminal, and left whole in a pipe.
"""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from wimdock.cli.columns import print_summary
from wimdock.cli.output import count, print_text, visible
from wimdock.reparse.judgement import Strength
from wimdock.servicing.preflight.check import Result
from wimdock.servicing.preflight.host import OLDEST_ASKED, Ability

if TYPE_CHECKING:
    from wimdock.servicing.preflight.check import Check
    from wimdock.servicing.preflight.host import Trouble
    from wimdock.servicing.preflight.report import ImageFindings, PreflightReport

_NARROWEST = 40
_EXAMPLES = 2
_TITLE = 13
_STRENGTH = 8


def print_report(report: PreflightReport) -> None:
    """Print everything that a preflight found."""
    head = str(report.image)
    sure = [package.package_id for package in report.packages if package.sure]
    if sure:
        head += f" (package {', '.join(sure)})"
    _line(head)
    before: ImageFindings | None = None
    for image in report.images:
        print_text()
        _print_image(image, before)
        before = image if before is None or _looks(image) != _looks(before) else before
    print_text()
    _print_hosts(report)
    print_text()
    _print_checks(report)
    print_text()
    _print_verdict(report)


def _line(text: str, indent: int = 0, *, hang: int | None = None, first: str = "") -> None:
    """Print one paragraph; `first` stands before its first line, in the place of the indent."""
    start = first or " " * indent
    plain = visible(text)
    if not sys.stdout.isatty():
        print_text(start + plain)
        return
    width = max(shutil.get_terminal_size().columns, _NARROWEST)
    rest = " " * (indent if hang is None else hang)
    for line in textwrap.wrap(
        plain,
        width,
        initial_indent=start,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [start]:
        print_text(line)


def _print_image(image: ImageFindings, before: ImageFindings | None) -> None:
    facts = [image.name, image.version, image.architecture]
    known = ", ".join(fact for fact in facts if fact)
    _line(f"Image {image.index}: {known}" if known else f"Image {image.index}")
    if image.capture is None:
        _line("could not be read", 2)
        return
    if before is not None and _looks(image) == _looks(before):
        _line(f"reparse points and capture as of image {before.index}", 2)
        return
    total = sum(group.count for group in image.groups)
    if total:
        _line(f"{count(total, 'reparse point')}:", 2)
        owners: dict[str, list[str]] = {}
        for group in image.groups:
            kinds = owners.setdefault(group.owner.value, [])
            kinds.append(f"{group.count:,} {group.tag.name}")
        for owner, names in owners.items():
            _line(f"- {owner}: {', '.join(names)}", 4, hang=6)
    else:
        _line("no reparse points", 2)
    _line(f"captured {image.capture.words}:", 2)
    for evidence in image.capture.evidence:
        _line(f"- {evidence}", 4, hang=6)


def _looks(image: ImageFindings) -> object:
    return [(g.owner, g.tag, g.count) for g in image.groups], image.capture


def _print_hosts(report: PreflightReport) -> None:
    many = len(report.images) > 1
    if not report.named:
        _line("No host was named, so these are examples; --provider NAME=BUILD names yours.")
        print_text()
    columns = ["host", "windows", "verdict", *(["because of"] if many else [])]
    rows = []
    for number, (host, verdict) in enumerate(zip(report.hosts, report.verdicts, strict=True)):
        worst = () if verdict.can_commit else _with(report, number, verdict.ability)
        cells = [_images(worst) if worst else ""] if many else []
        windows = host.build.name if host.build else "-" if host.is_wimdock else "not known"
        rows.append((host.name, windows, verdict.ability.value, *cells))
    print_summary(columns, rows)
    reasons = _reasons(report)
    if reasons:
        print_text()
    for reason, names in reasons.items():
        said = [name for name in names if name not in reason]
        _line(f"{', '.join(said)}: {reason}" if said else reason, hang=2)
    _print_troubles(report)


def _with(report: PreflightReport, number: int, ability: Ability) -> tuple[int, ...]:
    """Give the images for which a host has a verdict; unread ones count as unknown."""
    return tuple(
        image.index
        for image in report.images
        if (image.verdicts[number].ability if image.verdicts else Ability.UNKNOWN) is ability
    )


def _images(indexes: Iterable[int]) -> str:
    numbers = [str(index) for index in indexes]
    return f"image{'s' if len(numbers) > 1 else ''} {', '.join(numbers)}"


def _reasons(report: PreflightReport) -> dict[str, list[str]]:
    """Give what is to be said of the hosts, with the hosts of which it is said."""
    found: dict[str, list[str]] = {}
    for host, verdict in zip(report.hosts, report.verdicts, strict=True):
        if not verdict.can_commit or verdict.strong:
            found.setdefault(verdict.reason, []).append(host.name)
    return found


@dataclass(slots=True)
class _Shown:
    """One kind of trouble, over all images and all hosts that are not sure to commit."""

    trouble: Trouble
    counts: dict[int, int] = field(default_factory=dict)
    hosts: dict[str, None] = field(default_factory=dict)
    is_known: bool = False
    """Whether the build of one of the hosts is known; the others are judged as an example."""


def _print_troubles(report: PreflightReport) -> None:
    doubtful = [n for n, verdict in enumerate(report.verdicts) if not verdict.can_commit]
    shown: dict[tuple[str, str, str], _Shown] = {}
    for image in report.images:
        for number in doubtful if image.verdicts else ():
            host = report.hosts[number]
            judged_as = f": {(host.build or OLDEST_ASKED).name} "
            for trouble in image.verdicts[number].troubles:
                reason = trouble.reason.replace(judged_as, ": the host ")
                key = trouble.strength.value, trouble.owner.value, reason
                found = shown.setdefault(key, _Shown(trouble))
                found.counts[image.index] = trouble.count
                found.hosts[host.name] = None
                found.is_known |= host.build is not None
    strong_first = sorted(shown.items(), key=lambda each: each[0][0] != Strength.STRONG.value)
    for (strength, owner, common), found in strong_first:
        reason = common if found.is_known else found.trouble.reason
        about = [f"{sum(found.counts.values()):,} {owner}"]
        if len(report.images) > 1:
            about.append(f"in {_images(found.counts)}")
        if len(found.hosts) < len(doubtful):
            about.append(f"for {', '.join(found.hosts)}")
        _line(f"{', '.join(about)}: {reason}", hang=_STRENGTH, first=f"{strength:<{_STRENGTH}}")
        for path in found.trouble.examples[:_EXAMPLES]:
            # On one line however long: a path that is folded cannot be copied.
            print_text(" " * (_STRENGTH + 2) + visible(str(path)))


def _print_checks(report: PreflightReport) -> None:
    many = len(report.images) > 1
    # What fails comes last, next to the verdict: of a long list the end is what one sees.
    for check in sorted(report.checks, key=_place):
        _print_check(check, many=many)


_ORDER = (Result.PASSED, Result.NOT_CHECKED, Result.WARNING, Result.FAILED)


def _place(check: Check) -> tuple[int, int, str]:
    return _ORDER.index(check.result), check.index or 0, check.update


def _print_check(check: Check, *, many: bool) -> None:
    loud = check.result is Result.FAILED
    word = check.result.value.upper() if loud else check.result.value
    about = [check.title]
    if check.index and many:
        about.append(f"image {check.index}")
    if check.update:
        about.append(check.update)
    _line(
        f"{', '.join(about)}: {check.reason}",
        hang=_TITLE,
        first=f"{word:<{_TITLE}}",
    )
    quiet = check.result is Result.PASSED
    for detail in check.details if not quiet or check.name == "free-space" else ():
        _line(f"- {detail}", _TITLE, hang=_TITLE + 2)
    if quiet:
        return
    if check.remedy and (check.wanted or check.result is not Result.NOT_CHECKED):
        _line(f"what to do: {check.remedy}", _TITLE, hang=_TITLE + 2)
    if check.failure is not None:
        _line(f"in a run this becomes {_failure(check.failure)}", _TITLE, hang=_TITLE + 2)


@cache
def _failure(number: int) -> str:
    """Name a known failure by number and title."""
    from wimdock.doctor.heads import load_heads

    title = next((head.title for head in load_heads() if head.number == number), "")
    return f"failure {number}: {title}" if title else f"failure {number}"


def _print_verdict(report: PreflightReport) -> None:
    from wimdock.servicing.preflight.report import Readiness

    words = {
        Readiness.READY: "READY",
        Readiness.BLOCKED: "NOT READY",
        Readiness.UNCERTAIN: "UNCERTAIN",
    }
    counts = ", ".join(
        f"{report.count(result):,} {result.value}" for result in Result if report.count(result)
    )
    hosts = {
        Ability.CAN_COMMIT: "every host can commit",
        Ability.CANNOT: "a host cannot commit",
        Ability.UNKNOWN: "it is not known whether every host can commit",
    }[report.ability]
    if not report.named and report.ability is not Ability.CAN_COMMIT:
        hosts = "whether the image can be committed depends on the host"
    if report.leaves_out:
        hosts += ", as far as the images were looked at"
    _line(f"{words[report.readiness]}: {hosts}; checks: {counts}.")
    servers = [host for host in report.hosts if not host.is_wimdock]
    if report.named and len(servers) > 1 and report.ability is not Ability.CAN_COMMIT:
        _line("Any of these hosts may do the work, so the worst of them counts.")
    for remedy in report.remedies():
        _line(f"- {remedy}", hang=2)
