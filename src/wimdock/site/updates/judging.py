"""Which updates are for which images: judged by what is stored, or planned on the image files.

What is stored is what the image package held when it was read last. The plan of a run, which reads
the image itself, has the last word: `plan_updates` makes it and writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session, defer, selectinload

from wimdock.cbs.applicability import Applicability, ApplicabilityState, Judge
from wimdock.errors import WimdockError
from wimdock.events import Reporter
from wimdock.site.images.records import file_of, package_of
from wimdock.site.models import Image, ImagePackage, UpdateRow
from wimdock.site.site import Site
from wimdock.site.updates.choice import StoredImage, candidate_of, light_updates
from wimdock.site.updates.library import file_of_update
from wimdock.site.updates.listing import update_of
from wimdock.site.updates.ordering import Candidate

FAILED = "failed"
"""The state of an update that the plan could not judge: it cannot be put in."""


@dataclass(frozen=True, slots=True)
class JudgedUpdate:
    """One update and one image. `state` is a word of ApplicabilityState, or FAILED of a plan.

    `reason` is why, in a sentence; `hresult` what Windows' tools give for it. `unsupported` counts
    why wimdock cannot put it in, whatever the image.
    """

    package_id: str
    index: int
    image: str
    update_id: int
    title: str
    identity: str
    state: str
    reason: str
    hresult: int | None
    unsupported: int


def applicability(
    site: Site, package_ids: Sequence[str] = (), update_ids: Sequence[int] = ()
) -> list[JudgedUpdate]:
    """Judge updates against the images of image packages, by what is stored of both.

    Empty stands for all image packages, and for all updates that are not retired.
    """
    with site.reading() as session:
        candidates = [(row, candidate_of(session, row)) for row in _updates(session, update_ids)]
        return [
            judged
            for package in _packages(session, package_ids)
            for image in package.images
            for judged in _judge_image(image, candidates)
        ]


def plan_updates(
    site: Site,
    package_ids: Sequence[str] = (),
    update_ids: Sequence[int] = (),
    reporter: Reporter | None = None,
) -> list[JudgedUpdate]:
    """Plan updates on the image files themselves, in the order of a run; nothing is written.

    Each is judged as the image is with those before it. An image file that cannot be read is told
    for each of its images, and the others go on.
    """
    with site.reading() as session:
        rows = _updates(session, update_ids)
        ranked = sorted(
            ((candidate_of(session, row), row) for row in rows), key=lambda each: each[0].rank
        )
        packages = _packages(session, package_ids)
    updates = [row for _candidate, row in ranked]
    return [
        judged
        for package in packages
        for judged in _plan(site, package, updates, reporter or Reporter())
    ]


def _updates(session: Session, update_ids: Sequence[int]) -> list[UpdateRow]:
    if update_ids:
        return [update_of(session, update_id) for update_id in dict.fromkeys(update_ids)]
    query = light_updates().where(UpdateRow.retired_at.is_(None)).order_by(UpdateRow.id)
    return list(session.scalars(query))


def _packages(session: Session, package_ids: Sequence[str]) -> list[ImagePackage]:
    """Give image packages with their images; NoSuchRecord where one is not there any more."""
    query = (
        select(ImagePackage)
        .order_by(ImagePackage.id)
        .options(selectinload(ImagePackage.images).options(defer(Image.reparse)))
    )
    if package_ids:
        wanted = [package_of(session, package_id).id for package_id in package_ids]
        return list(session.scalars(query.where(ImagePackage.id.in_(wanted))))
    return list(session.scalars(query.where(ImagePackage.removed_at.is_(None))))


def _judge_image(
    image: Image, candidates: Sequence[tuple[UpdateRow, Candidate]]
) -> Iterator[JudgedUpdate]:
    stored = StoredImage.of(image)
    judge = Judge(stored.installed, stored.architecture)
    for row, candidate in candidates:
        answer = _judged(judge, candidate)
        yield _result(image, row, answer.state.value, answer.reason, answer.hresult)


_PREFERRED = (
    ApplicabilityState.APPLICABLE,
    ApplicabilityState.INSTALLED,
    ApplicabilityState.SUPERSEDED,
    ApplicabilityState.NOT_APPLICABLE,
)


def _judged(judge: Judge, candidate: Candidate) -> Applicability:
    """Judge a file: of several packages in it that counts which is most for the image."""
    answers = [judge.package(update.root) for update in candidate.roots]
    if any(answer.is_applicable for answer in answers):
        answers = [judge.judge(update) for update in candidate.whole()]
    return min(answers, key=lambda answer: _PREFERRED.index(answer.state))


def _result(
    image: Image, row: UpdateRow, state: str, reason: str, hresult: int | None
) -> JudgedUpdate:
    return JudgedUpdate(
        image.package_id,
        image.index,
        image.name,
        row.id,
        row.title,
        row.identity,
        state,
        reason,
        hresult,
        len(row.unsupported),
    )


def _plan(
    site: Site, package: ImagePackage, updates: Sequence[UpdateRow], reporter: Reporter
) -> Iterator[JudgedUpdate]:
    from wimdock.servicing.outcome import Outcome
    from wimdock.servicing.service import ServiceOptions, read_dictionary, service, surroundings

    states = {
        Outcome.PLANNED: ApplicabilityState.APPLICABLE.value,
        Outcome.ALREADY_INSTALLED: ApplicabilityState.INSTALLED.value,
        Outcome.SUPERSEDED: ApplicabilityState.SUPERSEDED.value,
        Outcome.NOT_APPLICABLE: ApplicabilityState.NOT_APPLICABLE.value,
        Outcome.FAILED: FAILED,
    }
    files: dict[Path, UpdateRow] = {}
    for row in updates:
        try:
            files[file_of_update(site, row)] = row
        except WimdockError as error:
            yield from _failed(package, row, error)
    if not files:
        return
    world = surroundings(reporter, site.clock)
    try:
        options = ServiceOptions(
            dry_run=True,
            continue_on_error=True,
            allow_unsigned=True,
            dictionary=read_dictionary(None),
            only_applicable=True,
        )
        with reporter.step(f"Plan {package.id}"):
            results = service(file_of(site, package), list(files), options, world).results
    except WimdockError as error:
        for row in files.values():
            yield from _failed(package, row, error)
        return
    images = {image.index: image for image in package.images}
    for each in results:
        if each.index in images:
            row = files[each.update]
            state = states[each.outcome]
            yield _result(images[each.index], row, state, each.reason, each.hresult)


def _failed(package: ImagePackage, row: UpdateRow, error: WimdockError) -> Iterator[JudgedUpdate]:
    for image in package.images:
        yield _result(image, row, FAILED, error.message, error.hresult)
