"""Evidence against records: which evidences of which rules one record gives.

Rules are put into an index by code once, so that a record is compared only with evidences that it
could give.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from wimdock.doctor.logs import Form, Record, Severity
from wimdock.doctor.rule import Evidence, Rule
from wimdock.doctor.trace import EvidenceKey, spellings

_LONGEST_MESSAGE = 4000
# A record never names 0 among its codes: success is no error code.
_SUCCESS = re.compile(
    r"(?:returned code|HRESULT ?=|\bhr:) ?(?:0x0{1,8}|0)(?![0-9A-Za-z])", re.IGNORECASE
)
_OFFLINE = "offline"
_TELLS_SEVERITY = frozenset({Form.SERVICING, Form.CLIENT, Form.STACK})


class Matcher:
    """All evidences of some rules that are looked for on records."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        """Put the evidences of the rules into the index."""
        self._by_code: dict[int, list[tuple[EvidenceKey, Evidence]]] = {}
        self._others: dict[str, list[tuple[EvidenceKey, Evidence]]] = {}
        self._anywhere: list[tuple[EvidenceKey, Evidence]] = []
        for rule in rules:
            for evidence in rule.evidence:
                if not evidence.is_fact:
                    self._add((rule.id, evidence.name), evidence)

    def _add(self, key: EvidenceKey, evidence: Evidence) -> None:
        if evidence.codes:
            for code in evidence.codes:
                self._by_code.setdefault(code, []).append((key, evidence))
        elif evidence.logs:
            for log in evidence.logs:
                self._others.setdefault(log, []).append((key, evidence))
        else:
            self._anywhere.append((key, evidence))

    def evidence_on(self, record: Record) -> tuple[EvidenceKey, ...]:
        """Name the evidences that a record gives, in the order of the rules' files."""
        found: dict[EvidenceKey, None] = {}
        codes = record.codes
        if 0 in self._by_code and _SUCCESS.search(record.message[:_LONGEST_MESSAGE]):
            codes = (*codes, 0)
        for code in codes:
            for spelling in spellings(code):
                for key, evidence in self._by_code.get(spelling, ()):
                    if key not in found and holds(evidence, record):
                        found[key] = None
        for key, evidence in (*self._others.get(record.log, ()), *self._anywhere):
            if holds(evidence, record):
                found[key] = None
        return tuple(found)


def holds(evidence: Evidence, record: Record) -> bool:
    """Tell whether a record meets every condition of an evidence but its codes.

    Plain text may be prose that only names a code: it has to meet another condition as well.
    """
    if record.form is Form.PLAIN and not (
        evidence.functions or evidence.message or evidence.status_message
    ):
        return False
    return (
        (not evidence.logs or record.log in evidence.logs)
        and _is_severe(evidence, record)
        and _names_function(evidence, record)
        and (not evidence.component or evidence.component.casefold() == record.component.casefold())
        and _carries_status_message(evidence, record)
        and (
            evidence.message is None or evidence.message.found_in(record.message[:_LONGEST_MESSAGE])
        )
    )


def _is_severe(evidence: Evidence, record: Record) -> bool:
    if not evidence.severity:
        return evidence.message is not None or not is_information(record)
    if record.severity.value in evidence.severity:
        return True
    # Configuration Manager writes failures as mere information too, whatever the form.
    tells = record.form in _TELLS_SEVERITY and record.log != _OFFLINE
    return Severity.UNKNOWN.value in evidence.severity and not tells


def is_information(record: Record) -> bool:
    """Tell whether DISM or component servicing say themselves that a record is no trouble."""
    return record.form is Form.SERVICING and record.severity is Severity.INFO


def _names_function(evidence: Evidence, record: Record) -> bool:
    if not evidence.functions:
        return True
    for function in record.functions:
        if function in evidence.functions or function.rpartition("::")[2] in evidence.functions:
            return True
    return False


def _carries_status_message(evidence: Evidence, record: Record) -> bool:
    if evidence.status_message is None and not evidence.insertions:
        return True
    message = record.status_message
    if message is None:
        return False
    if evidence.status_message is not None and message.id != evidence.status_message:
        return False
    return all(message.insertion(number) == text for number, text in evidence.insertions)
