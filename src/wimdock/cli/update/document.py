"""What JSON documents say of updates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wimdock.site.models import UpdateRow
    from wimdock.site.updates.details import UpdateDetails
    from wimdock.site.updates.listing import ListedUpdate


def update_content(update: UpdateRow | ListedUpdate) -> dict[str, Any]:
    """Give what a list says of an update."""
    reasons = update.unsupported
    return {
        "id": update.id,
        "title": update.title,
        "identity": update.identity,
        "family": update.family,
        "kb": update.kb or None,
        "architecture": update.architecture,
        "version": update.version,
        "language": update.language,
        "classification": update.classification,
        "servicing_stack": update.stack,
        "file_name": update.file_name,
        "sha256": update.sha256,
        "size": update.size,
        "signature": signature_words(update),
        "signer": update.signer or None,
        "released": update.released_at,
        "imported": update.imported_at,
        "retired": update.retired_at,
        "unsupported_count": reasons if isinstance(reasons, int) else len(reasons),
    }


def listed_content(update: ListedUpdate) -> dict[str, Any]:
    """Give an update of a list, with what supersedes it."""
    return update_content(update) | {"superseded_by": update.superseded_by}


def details_content(found: UpdateDetails) -> dict[str, Any]:
    """Give all that is known of an update."""
    update = found.update
    return update_content(update) | {
        "superseded_by": found.superseded_by,
        "supersedes": list(found.supersedes),
        "same_package": list(found.same),
        "schedules": list(found.schedules),
        "file_trouble": found.file or None,
        "hashes_verified": update.verified,
        "imported_by": update.imported_by,
        "source": update.source,
        "unsupported": update.unsupported,
        "packages": [
            {
                "identity": each["identity"],
                "release_type": each["release_type"],
                "root": each["root"],
                "catalogued": each["catalogued"],
                "parents": each["parents"],
            }
            for each in update.packages
        ],
    }


def signature_words(update: UpdateRow | ListedUpdate) -> str:
    """Say how far the contents are vouched for, as `wimdock service` says it."""
    return "hashes verified, signature not" if update.catalogued else "not covered"
