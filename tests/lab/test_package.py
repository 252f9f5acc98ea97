"""The lab's packages are packages for other programs."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from asn1crypto import cms

from tests.conftest import skip_or_fail
from tests.lab.cases import CASES, large_package
from tests.lab.catalog import catalog
from tests.lab.identity import LabIdentity
from tests.lab.manifest import LabComponent, LabPackage, LabPayload
from tests.lab.package import (
    FILE_HASHES,
    bare_files,
    package_files,
    write_cabinet,
    write_package,
    write_standalone,
)
from tests.lab.tool import missing, run

EDITOR = LabComponent(LabIdentity("Lab-Editor"), (LabPayload("edit.exe", b"MZ" * 100),))
CHILD = LabPackage(LabIdentity("Lab-Child-Package"), (EDITOR,), parents=())
PACKAGE = LabPackage(LabIdentity("Lab-Update-Package"), children=(CHILD,))


def test_cabinet_is_one_for_7_zip(tmp_path: Path) -> None:
    cabinet = write_package(tmp_path / "update.cab", PACKAGE)
    run("7z", "x", "-y", f"-o{tmp_path / 'out'}", cabinet)
    key = EDITOR.identity.key_form
    assert (tmp_path / "out" / key / "edit.exe").read_bytes() == b"MZ" * 100
    assert (tmp_path / "out" / "update.mum").read_bytes() == PACKAGE.manifest()
    standalone = write_standalone(tmp_path / "update.msu", PACKAGE, cabinet)
    run("7z", "t", standalone)


def test_file_hashes_name_every_file_but_their_own() -> None:
    files = package_files(PACKAGE)
    text = files[FILE_HASHES].decode("utf-16")
    for name, content in files.items():
        if name != FILE_HASHES:
            digest = hashlib.sha256(content).hexdigest().upper()
            assert f"{name}={digest},{len(content):X}\r\n" in text
    assert FILE_HASHES not in text


def test_catalog_carries_a_good_signature(tmp_path: Path) -> None:
    if missing(("osslsigncode",)):
        skip_or_fail("osslsigncode is not installed")
    path = tmp_path / "update.cat"
    path.write_bytes(catalog({"update.mum": b"manifest"}))
    signed = cms.ContentInfo.load(path.read_bytes())["content"]
    root = tmp_path / "root.pem"
    root.write_bytes(
        run("openssl", "x509", "-inform", "DER", stdin=signed["certificates"][0].chosen.dump())
    )
    said = run("osslsigncode", "verify", "-CAfile", root, "-in", path)
    assert b"Number of verified signatures: 1" in said
    assert hashlib.sha256(b"manifest").digest() in path.read_bytes()


def test_catalog_without_a_signature_has_no_signer() -> None:
    signed = cms.ContentInfo.load(catalog({"update.mum": b""}, signed=False))["content"]
    assert len(signed["signer_infos"]) == 0


@pytest.mark.parametrize("name", CASES)
def test_every_case_makes_a_cabinet(name: str, tmp_path: Path) -> None:
    run("7z", "l", write_cabinet(tmp_path / "case.cab", CASES[name].files()))


def test_large_package_has_its_size() -> None:
    files = bare_files(large_package(300, 5))
    payload = [content for name, content in files.items() if "\\" in name]
    assert len(payload) == 300
    assert 4.9e6 < sum(map(len, payload)) < 5.4e6
