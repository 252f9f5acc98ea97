"""The sentences of a report that text and HTML share."""

from __future__ import annotations

from pathlib import PurePath, PureWindowsPath

from wimdock.doctor.image_facts import Application
from wimdock.doctor.report import Case, Code, Mentioned, Report, Reported, Spot

_KINDS = {
    "offline": "OfflineServicingMgr.log",
    "dism": "DISM.log",
    "cbs": "CBS.log",
    "other": "other text",
}


class Names:
    """Short names of files: their last part, where that tells them apart."""

    def __init__(self, report: Report) -> None:
        """Take the files of a report."""
        files = [each.file for each in report.logs]
        lasts = [_last(file) for file in files]
        self._short = {
            file: last if lasts.count(last) == 1 else file
            for file, last in zip(files, lasts, strict=True)
        }

    def spot(self, file: str, line: int) -> str:
        """Give file and line in the form that editors take: `dism.log:12`."""
        return f"{self._short.get(file, file)}:{line}"

    def when(self, spot: Spot) -> str:
        """Give a place with its time where it has one."""
        place = self.spot(spot.file, spot.line)
        return f"{spot.at} ({place})" if spot.at else place


def _last(file: str) -> str:
    path = PureWindowsPath(file) if "\\" in file else PurePath(file)
    return path.name or file


def counted(number: int, noun: str) -> str:
    """Give a number with its noun."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def headline(report: Report) -> str:
    """Say how much was found, never more than what was read allows."""
    unknown = sum(not each.known for each in report.findings)
    after = sum(each.follows is not None for each in report.findings)
    if not report.records:
        return "There is nothing to judge: the logs hold no record."
    if not report.findings:
        known = any(set(each.kinds) & {"offline", "dism", "cbs"} for each in report.logs)
        if not known:
            return (
                "No failure was found, but nothing that was read is of OfflineServicingMgr.log, "
                "DISM.log or CBS.log: this says little."
            )
        return "No failure was found in what was read."
    least = "at least " if report.left_out else ""
    parts = [f"{least}{counted(len(report.findings), 'failure')} found".capitalize()]
    if unknown == len(report.findings) > 1:
        parts.append("all of a kind that is not known")
    elif unknown:
        parts.append(
            "of a kind that is not known"
            if unknown == len(report.findings) == 1
            else f"{unknown} of them of a kind that is not known"
        )
    if after:
        parts.append(f"{after} of them {'an after-effect' if after == 1 else 'after-effects'}")
    return f"{', '.join(parts)}."


def read_words(report: Report) -> list[str]:
    """Say what was read: a line for each file, and what the logs show."""
    lines = []
    for log in report.logs:
        span = f", {log.first} to {log.last} (local time)" if log.first else ", without times"
        kinds = " and ".join(_KINDS.get(kind, kind) for kind in log.kinds)
        records = f"{counted(log.records, 'telling record')} of {kinds}"
        lines.append(f"{log.file}: {records} up to line {log.last_line:,}{span}")
    lines += [f"{each.file}: not read: {each.why}" for each in report.unread]
    shown = []
    if report.images:
        failed = f", {report.images_failed:,} failed" if report.images_failed else ""
        shown.append(f"work on {counted(report.images, 'image')}{failed}")
    if report.commands:
        shown.append(counted(report.commands, "session") + " of DISM")
    if shown:
        lines.append(f"In them: {'; '.join(shown)}.")
    if report.left_out:
        lines.append(
            f"{counted(report.left_out, 'further session')} with trouble: too many to judge."
        )
    return lines


def title(finding: Reported) -> str:
    """Give a finding's heading."""
    if finding.by_wimdock:
        return f"{finding.number}. {finding.title}"
    if finding.failure is None:
        return f"{finding.number}. Unknown failure: {finding.title}"
    return (
        f"{finding.number}. Failure {finding.failure} ({finding.confidence} confidence): "
        f"{finding.title}"
    )


def case_words(case: Case, names: Names) -> list[tuple[str, str]]:
    """Give what a failure happened to, as pairs of a word and its value."""
    host = case.host
    if host and case.host_named_at is not None:
        host += f", named at {names.spot(case.host_named_at.file, case.host_named_at.line)}"
    result = {"success": "the work ended with success all the same", "failed": "failed"}
    began = case.began + (f" local, {case.began_utc}" if case.began_utc else " local")
    pairs = [
        ("Image package", case.package),
        ("Image", "" if case.index is None else str(case.index)),
        ("Mount directory", case.mount),
        ("Image file", case.image),
        ("Updates", ", ".join(case.updates)),
        ("Command", case.command),
        ("Host", host),
        ("Server", case.server),
        ("Site", case.site),
        ("Schedule", case.schedule),
        ("Began", began if case.began else ""),
        ("Result", result.get(case.result, "")),
    ]
    return [(word, value) for word, value in pairs if value]


def relations(finding: Reported, names: Names) -> list[str]:
    """Say how a finding goes with the others and with what came later."""
    found = []
    if finding.follows is not None:
        found.append(
            f"This is an after-effect of {finding.follows}: it goes away when that is cleaned up, "
            "as is told there."
        )
    if finding.may_follow is not None:
        found.append(
            f"This came after {finding.may_follow}, which leaves a mounted image behind: clean up "
            "that one first, then run again."
        )
    if finding.since_succeeded is not None:
        found.append(f"Since then it succeeded: {names.when(finding.since_succeeded)}.")
    if finding.times > 1:
        places = ", ".join(names.when(each) for each in finding.again)
        more = finding.times - 1 - len(finding.again)
        rest = f" and {more:,} more" if more > 0 else ""
        found.append(f"It happened {finding.times:,} times; also {places}{rest}.")
    return found


def code_words(code: Code) -> str:
    """Give a code with its meaning on one line."""
    if not code.table:
        return f"{code.code}: no table has this code"
    words = [code.code]
    if code.name:
        words.append(code.name)
    return f"{' '.join(words)} ({code.table}){f': {code.text}' if code.text else ''}"


def mention_words(mention: Mentioned, names: Names) -> str:
    """Say that a code is mentioned where nothing fails."""
    count = f"{mention.count:,} times, first at" if mention.count > 1 else "once, at"
    where = names.spot(mention.first.file, mention.first.line)
    return f"{code_words(mention.code)} - {count} {where}"


def application_words(application: Application) -> str:
    """Say what an application brings."""
    troubles = [
        f"{number:,} {words}"
        for number, words in (
            (application.unknown_to_host, "that the host does not know"),
            (application.unusual, "of an unusual kind"),
        )
        if number
    ]
    points = f"{counted(application.count, 'reparse point')} ({', '.join(application.tags)})"
    trouble = " and ".join(troubles) or "none that troubles the host"
    return f"{application.name}: {points}, {trouble}; the first is {application.example}"


def spoken(name: str) -> str:
    """Give a stable name such as `does_not_fit` in words."""
    return name.replace("_", " ")


def quiet_words() -> str:
    """Say what the list of mentioned codes is."""
    return "Codes in records that tell of no failure themselves; they are no findings:"
