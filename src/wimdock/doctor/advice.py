"""What to do: which remedies fit this case and which do not, and the steps of the clean-up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from wimdock.configmgr.provider import Provider
from wimdock.doctor.bounds import Surroundings, holds, image_holds, of_host
from wimdock.doctor.finding import DOES_NOT_FIT, FITS, NOT_KNOWN, Advice, JudgedHost, Step
from wimdock.doctor.image_facts import Application
from wimdock.doctor.rule import Bounds, Remedy, Rule, Version
from wimdock.doctor.wording import fill, fill_command, is_posix_path
from wimdock.reparse.hosts import Build

_APPLICATIONS = "applications"


def advise(
    rule: Rule, values: Mapping[str, str], around: Surroundings, providers: Sequence[Provider]
) -> tuple[Advice, ...]:
    """Give all remedies of a rule, each with whether it fits."""
    return tuple(_advice(remedy, values, around, providers) for remedy in rule.remedies)


def _advice(
    remedy: Remedy, values: Mapping[str, str], around: Surroundings, providers: Sequence[Provider]
) -> Advice:
    fits, why = FITS, ""
    if not remedy.fits.is_empty:
        fits, why = _fit(remedy.fits, around, providers)
        can_say = bool(values.get("host")) or "{host}" not in remedy.why_not
        if fits == DOES_NOT_FIT and remedy.why_not and can_say:
            why = fill(remedy.why_not, values)
    applications: tuple[Application, ...] = ()
    if remedy.lists == _APPLICATIONS and around.image is not None:
        applications = around.image.applications_for(around.host)
    return Advice(
        title=fill(remedy.title, values),
        text=fill(remedy.text, values),
        fits=fits,
        why=why,
        applications=applications,
    )


def _fit(bounds: Bounds, around: Surroundings, providers: Sequence[Provider]) -> tuple[str, str]:
    """Judge bounds of a remedy: a host's may concern one provider and not another."""
    reasons = []
    answers: list[bool | None] = []
    if bounds.host_before is not None or bounds.host_from is not None:
        answer, reason = _host_fit(bounds, around, providers)
        answers.append(answer)
        reasons.append((answer, reason))
    if bounds.image_before is not None or bounds.image_from is not None:
        answer = image_holds(bounds, around.image)
        answers.append(answer)
        reasons.append((answer, _image_reason(bounds, around, answer)))
    if bounds.image_reparse is not None:
        answer = holds(Bounds(image_reparse=bounds.image_reparse), around)
        answers.append(answer)
        reasons.append((answer, _reparse_reason(answer)))
    if False in answers:
        return DOES_NOT_FIT, "; ".join(reason for answer, reason in reasons if answer is False)
    if None in answers:
        return NOT_KNOWN, "; ".join(reason for answer, reason in reasons if answer is None)
    return FITS, "; ".join(reason for _, reason in reasons)


def _host_fit(
    bounds: Bounds, around: Surroundings, providers: Sequence[Provider]
) -> tuple[bool | None, str]:
    named: list[tuple[str, Build | None]] = [
        (provider.name, provider.build) for provider in providers if not provider.is_wimdock
    ]
    known = {build for _, build in named}
    named += [("the host", host) for host in dict.fromkeys(around.hosts) if host not in known]
    concerned = [(name, build) for name, build in named if of_host(bounds, build)]
    if concerned:
        return True, f"it concerns {_named(concerned)}"
    if any(build is None for _, build in named) or not named:
        reason = "the host's build is not known: DISM.log names it, or give --provider NAME=BUILD"
        return None, reason
    return False, f"it does not concern {_named(named)}"


def _named(hosts: Sequence[tuple[str, Build | None]]) -> str:
    return ", ".join(f"{name} ({build.name if build else 'not known'})" for name, build in hosts)


def _image_reason(bounds: Bounds, around: Surroundings, answer: bool | None) -> str:  # noqa: FBT001
    limits = [
        f"{word} {_version(limit)}"
        for word, limit in (("before", bounds.image_before), ("from", bounds.image_from))
        if limit is not None
    ]
    asked = " and ".join(limits)
    if answer is None:
        return f"only for an image of a version {asked}: give --image IMAGE to know"
    version = around.image.version if around.image is not None else None
    verb = "is" if answer else "is not"
    return f"the image, {_version(version or ())}, {verb} of a version {asked}"


def _version(version: Version) -> str:
    name = Build(*version[:3]).name if len(version) == 3 else ""  # noqa: PLR2004 - a plain build
    numbers = ".".join(map(str, version))
    return f"{numbers} ({name})" if name and name != numbers else numbers


def _reparse_reason(answer: bool | None) -> str:  # noqa: FBT001
    if answer is None:
        return "it depends on the image's reparse points: give --image IMAGE to know"
    return (
        "the image's reparse points are of that kind"
        if answer
        else ("the image's reparse points are not of that kind")
    )


def clean_up(rule: Rule, values: Mapping[str, str]) -> tuple[Step, ...]:
    """Give the steps of the clean-up for the system that the mount directory belongs to."""
    system = "wimdock" if is_posix_path(values.get("mount", "")) else "windows"
    return tuple(
        Step(fill(step.text, values), fill_command(step.command, values), step.on)
        for step in rule.clean_up
        if step.on in ("", system)
    )


def judge_hosts(
    rule: Rule, around: Surroundings, providers: Sequence[Provider], host: Build | None
) -> tuple[JudgedHost, ...]:
    """Judge every host that may do the work, for a failure that depends on the host.

    With an image its reparse points decide, where the rule asks for them; else the builds do.
    """
    bounds = next(
        (each.bounds for each in rule.evidence if each.bounds.host_before is not None), None
    )
    if bounds is None:
        return ()
    by_points = any(each.bounds.image_reparse for each in rule.evidence)
    hosts: list[Provider] = list(providers)
    if host is not None and all(provider.build != host for provider in providers):
        hosts.insert(0, Provider("the host in the log", host))
    return tuple(_judged(provider, bounds, around, by_points=by_points) for provider in hosts)


def _judged(
    provider: Provider, bounds: Bounds, around: Surroundings, *, by_points: bool
) -> JudgedHost:
    build = "" if provider.build is None else f"{provider.build} ({provider.build.name})"
    if provider.is_wimdock:
        reason = "wimdock edits the image in place and never captures it again."
        return JudgedHost(provider.name, "", "can_commit", reason)
    verdict = None
    if by_points and around.image is not None:
        verdict = around.image.verdict(provider.build)
    if verdict is not None:
        return JudgedHost(provider.name, build, verdict.ability.name.lower(), verdict.reason)
    affected = of_host(bounds, provider.build)
    if affected is None:
        return JudgedHost(provider.name, build, NOT_KNOWN, "Its build is not known.")
    limit = _version(bounds.host_before or ())
    if affected:
        return JudgedHost(provider.name, build, "affected", f"It is older than {limit}.")
    return JudgedHost(provider.name, build, "not_affected", f"It is {limit} or later.")
