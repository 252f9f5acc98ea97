"""Microsoft's OpenSSH in an image captured from NTFS: what came, and that all else stayed."""

from __future__ import annotations

from tests.lab.descriptor import (
    ADMINISTRATORS,
    ALL_APP_PACKAGES,
    ALL_RESTRICTED_APP_PACKAGES,
    EVERYONE,
    FULL,
    READ_EXECUTE,
    SYSTEM,
    TRUSTED_INSTALLER,
    USERS,
    Ace,
    acl,
)
from tests.lab.image import verify
from tests.lab.snapshot import Snapshot, differences
from tests.witnesses.serviced import CONFIG, HIVES, Serviced
from tests.witnesses.update_contents import UpdateContents

# O:TIG:TID:P(A;;FA;;;TI)(A;;GRGX;;;BA|SY|BU|app packages)S:(AU;FASA;0x000D0116;;;WD)
_ACCESS = acl(
    Ace(TRUSTED_INSTALLER, FULL),
    Ace(ADMINISTRATORS, READ_EXECUTE),
    Ace(SYSTEM, READ_EXECUTE),
    Ace(USERS, READ_EXECUTE),
    Ace(ALL_APP_PACKAGES, READ_EXECUTE),
    Ace(ALL_RESTRICTED_APP_PACKAGES, READ_EXECUTE),
)
_AUDIT = acl(Ace(EVERYONE, 0x000D0116, flags=0xC0, kind=2))


def reparse_points(facts: Snapshot) -> dict[str, bytes]:
    return {path: one.reparse for path, one in facts.items() if one.reparse is not None}


def test_other_programs_find_the_file_in_order(serviced: Serviced) -> None:
    verify(serviced.image)


def test_every_file_has_the_hash_that_its_manifest_promises(
    serviced: Serviced, contents: tuple[UpdateContents, ...]
) -> None:
    promised = {file for content in contents for file in content.promised}
    assert len(promised) == 12
    for file in promised:
        assert serviced.after[file.store].sha256 == file.sha256
        assert file.runtime is not None
        assert serviced.after[file.runtime].sha256 == file.sha256


def test_store_and_runtime_are_one_file_with_the_manifests_security(
    serviced: Serviced, contents: tuple[UpdateContents, ...]
) -> None:
    for content in contents:
        for file in content.promised:
            facts = serviced.after[file.store]
            assert facts.names == tuple(sorted((file.store, file.runtime or "")))
            assert facts.security is not None
            assert _ACCESS in facts.security
            assert _AUDIT in facts.security
            assert facts.security.count(TRUSTED_INSTALLER) == 3


def test_everything_that_was_there_stayed_as_it_was(serviced: Serviced) -> None:
    kept = {path: facts for path, facts in serviced.after.items() if path in serviced.before}
    hives = {f"{CONFIG}/{name}" for name in HIVES}
    changed = {
        (path, fact)
        for path, fact, _, _ in differences(serviced.before, kept)
        if not (path in hives and fact in {"sha256", "times"})
    }
    # A folder that got a new name carries the time of that, as on any file system.
    assert {path for path, fact in changed if fact != "times"} == set()
    grown = {path.rpartition("/")[0] for path in serviced.after if path not in serviced.before}
    assert {path for path, _ in changed} <= grown


def test_nothing_came_that_the_packages_do_not_bring(
    serviced: Serviced, contents: tuple[UpdateContents, ...]
) -> None:
    new = {path for path in serviced.after if path not in serviced.before}
    promised = [file for content in contents for file in content.promised]
    known = {file.store for file in promised} | {file.runtime for file in promised}
    for path in sorted(path for path in new if serviced.after[path].sha256 is not None):
        folder = path.rpartition("/")[0]
        assert path in known or folder in {
            "Windows/WinSxS/Manifests",
            "Windows/WinSxS/Catalogs",
            "Windows/servicing/Packages",
            "Windows/System32/CatRoot/{F750E6C3-38EE-11D1-85E5-00C04FC295EE}",
        }, path


def test_every_reparse_point_is_as_before(serviced: Serviced) -> None:
    points = reparse_points(serviced.before)
    assert len(points) > 35
    assert reparse_points(serviced.after) == points
