"""What is done when a service fails: `failureActions`, as the value FailureActions keeps it.

SERVICE_FAILURE_ACTIONS of winsvc.h with 32-bit fields: reset period in seconds, reboot message and
command (both absent), number of actions, offset of the first; each action a type and a delay in
milliseconds.
"""

from __future__ import annotations

import re
import struct

from wimdock.cbs.element import Element
from wimdock.cbs.refusal import refuse

_HEAD = struct.Struct("<IIIII")
_ACTION = struct.Struct("<II")
_TYPES = {"none": 0, "restartservice": 1, "reboot": 2, "rebootmachine": 2}
_NUMBER = re.compile(r"[0-9]{1,9}")


def failure_actions(element: Element) -> bytes:
    """Give the data of the value; raise UnsupportedPackage for what is not known."""
    for name, _ in element.attributes:
        if name != "resetPeriod":
            refuse(f"its failureActions attribute {name} is not known")
    actions: list[bytes] = []
    for child in element.children:
        if child.name != "actions":
            refuse(f"its failureActions element {child.name} is not known")
        for action in child.children:
            kind = _TYPES.get(action.get("type").lower())
            if action.name != "action" or kind is None:
                refuse(f"its failure action {action.get('type')[:80]!r} is not known")
            actions.append(_ACTION.pack(kind, _number(action.get("delay", "0"))))
    period = _number(element.get("resetPeriod", "0"))
    return _HEAD.pack(period, 0, 0, len(actions), _HEAD.size) + b"".join(actions)


def _number(text: str) -> int:
    if not _NUMBER.fullmatch(text):
        refuse(f"{text[:80]!r} is no number")
    return int(text)
