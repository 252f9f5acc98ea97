"""How a run ended: what the file holds decides, not what the worker knew.

A run that has committed has succeeded, though it was cancelled, timed out or lost its worker right
after; but then it is verified first, for nothing that was not verified is a success.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from wimdock.errors import DatabaseUnavailable, LeaseLost, WimdockError
from wimdock.servicing.outcome import Outcome
from wimdock.site.models import RunState, Step, StepName
from wimdock.site.runs.failure import error_document, error_in, state_after
from wimdock.site.steps import verify
from wimdock.site.steps.apply import as_installed, committed_generation
from wimdock.site.steps.context import RunContext
from wimdock.wim.generations import Generation

_STOPPED = {RunState.CANCELLED, RunState.TIMED_OUT}
_BEFORE_APPLY = {None, StepName.PREFLIGHT, StepName.FETCH, StepName.PLAN}


@dataclass(frozen=True, slots=True)
class Made:
    """The generation that a run has committed, and by how many bytes the file grew."""

    number: int
    added: int


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended: `error` is empty where nothing failed.

    `unknown` tells why it is not known whether the run has committed, or is empty.
    """

    state: RunState
    error: dict[str, Any]
    results: list[dict[str, Any]]
    made: Made | None
    detail: str
    unknown: str = ""


def has_written(context: RunContext) -> bool:
    """Tell whether the run has come so far that it may have written the file."""
    return context.run.step not in _BEFORE_APPLY


def judge(context: RunContext, failed: Step | None) -> Ending:
    """Give how a run ended, of whose steps `failed` failed."""
    error = {} if failed is None else failed.error
    made, unknown = _made(context)
    if made is not None and _is_stop(error) and not _is_verified(context):
        error = _verify(context) or error
        made, unknown = _made(context)
    results = _results(context, made)
    if error:
        return _failed(context, error, results, made, unknown)
    applied = context.results.get(StepName.APPLY, {}).get("generation")
    if applied is not None and made is None:
        lost = error_document(verify.taken_back(context, applied))
        return _failed(context, lost, results, made, unknown)
    broken = [each for each in results if each["outcome"] == Outcome.FAILED.value]
    if broken:
        error = _left_out(broken, len(results))
        return Ending(RunState.FAILED, error, results, made, str(error["message"]))
    installed = sum(each["outcome"] == Outcome.INSTALLED.value for each in results)
    detail = f"{installed} installed" if installed else "nothing to do"
    return Ending(RunState.SUCCEEDED, {}, results, made, detail)


def _made(context: RunContext) -> tuple[Made | None, str]:
    """Give what the run has committed; where the file cannot be asked, what is known of it."""
    try:
        found = committed_generation(context)
    except WimdockError as error:
        applied = context.results.get(StepName.APPLY, {})
        if applied.get("generation") is not None:
            return Made(applied["generation"], applied["added"]), ""
        if applied or StepName.APPLY not in context.begun:
            return None, ""
        return None, f"whether it has committed is not known: {error.message}"
    return (None if found is None else Made(found.number, found.added)), ""


def _is_stop(error: dict[str, Any]) -> bool:
    return bool(error) and state_after(error) in _STOPPED


def _is_verified(context: RunContext) -> bool:
    return "bytes" in context.results.get(StepName.VERIFY, {})


def _verify(context: RunContext) -> dict[str, Any]:
    """Verify what a run has committed that was stopped right after; give what is wrong with it."""
    made: Generation | None = committed_generation(context)
    if made is None:
        return {}
    try:
        with context.reporter.step(StepName.VERIFY.value):
            verify.verified(context, made)
    except (LeaseLost, DatabaseUnavailable):
        raise  # another has the run, or it is verified again later
    except Exception as error:  # noqa: BLE001 - whatever it is, this is no success
        return error_document(error)
    return {}


def _results(context: RunContext, made: Made | None) -> list[dict[str, Any]]:
    planned: list[dict[str, Any]] = context.results.get(StepName.PLAN, {}).get("results", [])
    apply = context.results.get(StepName.APPLY, {})
    applied: list[dict[str, Any]] = apply.get("results", [])
    if made is not None:
        return applied or [as_installed(each) for each in planned]
    return planned if apply.get("generation") is not None else applied or planned


def _failed(
    context: RunContext,
    error: dict[str, Any],
    results: list[dict[str, Any]],
    made: Made | None,
    unknown: str,
) -> Ending:
    state = state_after(error)
    said = str(error.get("message", ""))
    if made is None:
        return Ending(state, error, results, None, said, unknown)
    if state in _STOPPED:
        detail = f"it had committed when it was {state.value}"
        return Ending(RunState.SUCCEEDED, {}, results, made, detail)
    holds = f"The file is in generation {made.number}, which the run made:"
    way = f"{holds} `wimdock image rollback {context.package.id}` takes it back."
    error = error | {"hint": f"{error.get('hint', '')} {way}".strip()}
    return Ending(RunState.FAILED, error, results, made, said)


def _left_out(broken: list[dict[str, Any]], count: int) -> dict[str, Any]:
    """Give the error of a run that went on without some updates: it is no success."""
    first = broken[0]
    return error_document(
        error_in(
            {
                "class": "PackageError",
                "message": f"{len(broken)} of {count} failed, first: {first['reason']}",
                "hint": "`wimdock run show RUN` lists what became of each update.",
                "hresult": first["hresult"],
            }
        )
    )
