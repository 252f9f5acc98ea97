"""A preflight as a JSON document; docs/reference/schemas/preflight.json describes it."""

from __future__ import annotations

from dataclasses import asdict
from enum import Enum

from wimdock.configmgr.provider import Provider
from wimdock.servicing.preflight.check import Check, Result
from wimdock.servicing.preflight.host import HostVerdict, Trouble
from wimdock.servicing.preflight.report import ImageFindings, PreflightReport


def content(report: PreflightReport) -> dict[str, object]:
    """Give the members of the document, of nothing but what JSON knows."""
    return {
        "image": str(report.image),
        "packages": [asdict(package) for package in report.packages],
        "readiness": report.readiness.value,
        "ability": _word(report.ability),
        "hosts_named": report.named,
        "hosts": [
            host_content(host) | {"ability": _word(verdict.ability), "reason": verdict.reason}
            for host, verdict in zip(report.hosts, report.verdicts, strict=True)
        ],
        "images": [_image(image, report.hosts) for image in report.images],
        "checks": [_check(check) for check in report.checks],
        "counts": {_word(result): report.count(result) for result in Result},
        "space": [
            {"what": part.what, "bytes": part.size, "place": part.place.value}
            for part in report.parts
        ],
        "what_to_do": list(report.remedies()),
    }


def _word(value: Enum) -> str:
    """Give a member's name for machines."""
    return value.name.lower()


def host_content(host: Provider) -> dict[str, object]:
    """Give what the document says of a host before its verdict."""
    return {
        "name": host.name,
        "wimdock": host.is_wimdock,
        "build": None if host.build is None else str(host.build),
        "build_name": None if host.build is None else host.build.name,
        "site": host.site,
        "source": host.source,
    }


def _image(image: ImageFindings, hosts: tuple[Provider, ...]) -> dict[str, object]:
    capture = image.capture
    return {
        "index": image.index,
        "name": image.name,
        "version": image.version,
        "architecture": image.architecture,
        "reparse_points": [
            {
                "owner": group.owner.value,
                "tag": f"0x{group.tag.value:08X}",
                "tag_name": group.tag.name,
                "count": group.count,
                "bytes": group.size,
                "example": str(group.example),
            }
            for group in image.groups
        ],
        "capture": None
        if capture is None
        else {
            "program": capture.program.value,
            "confidence": capture.confidence.value,
            "keeps_newer_reparse_points": capture.keeps,
            "words": capture.words,
            "evidence": list(capture.evidence),
        },
        "verdicts": [
            {"host": host.name} | verdict_content(verdict)
            for host, verdict in zip(hosts, image.verdicts, strict=False)
        ],
    }


def verdict_content(verdict: HostVerdict) -> dict[str, object]:
    """Give what the document says of one host and one image."""
    return {
        "ability": _word(verdict.ability),
        "reason": verdict.reason,
        "strong": verdict.strong,
        "weak": verdict.weak,
        "troubles": [_trouble(trouble) for trouble in verdict.troubles],
    }


def _trouble(trouble: Trouble) -> dict[str, object]:
    return {
        "owner": trouble.owner.value,
        "tag": f"0x{trouble.tag.value:08X}",
        "tag_name": trouble.tag.name,
        "strength": trouble.strength.value,
        "reason": trouble.reason,
        "count": trouble.count,
        "examples": [str(path) for path in trouble.examples],
    }


def _check(check: Check) -> dict[str, object]:
    return {
        "check": check.name,
        "title": check.title,
        "result": _word(check.result),
        "reason": check.reason,
        "what_to_do": check.remedy,
        "failure": check.failure,
        "index": check.index,
        "update": check.update or None,
        "details": list(check.details),
        "wanted": check.wanted,
    }
