"""The knowledge-base article itself, given as a log, and its lines as the logs hold them."""

from __future__ import annotations

from pathlib import Path

from wimdock.doctor.logs import Form, Record, Severity, read_logs

_FAILED = 0x800700A1


def _article(shared_data: Path) -> list[Record]:
    return list(read_logs([shared_data.parent / "article.txt"]))


def test_offline_servicing_lines_of_the_article(shared_data: Path) -> None:
    found = [record for record in _article(shared_data) if record.log == "offline"]
    assert [record.form for record in found] == [Form.PASTED] * 8
    assert [record.message.split(" ")[0] for record in found] == [
        "UnMounting",
        "WIM::UnMountWIMImage",
        "UnMountImage",
        "Image",
        "STATMSG:",
        "Completed",
        "Updated",
        "Schedule",
    ]
    assert [record.codes for record in found] == [
        (), (_FAILED,), (_FAILED,), (161,), (161,), (), (), (),
    ]  # fmt: skip
    assert found[1].functions == ("WIM::UnMountWIMImage",)
    assert found[2].functions == ("UnMountImage",)
    assert found[2].message == "UnMountImage returned code 0x800700a1~"
    status = found[4].status_message
    assert status is not None
    assert (status.id, status.severity, status.insertion(3)) == (7913, "E", "161")
    assert found[4].severity is Severity.ERROR


def test_dism_lines_of_the_article(shared_data: Path) -> None:
    found = [record for record in _article(shared_data) if record.log == "dism"]
    assert [record.form for record in found] == [Form.PASTED, *[Form.STACK] * 2, *[Form.PASTED] * 4]
    assert [record.codes for record in found] == [(), *[(_FAILED,)] * 6]
    assert [record.functions[0] for record in found] == [
        "GetFileStorageTierClass",
        "ImageRecaptureDirectory",
        "WIMCommitImageHandle",
        "CWimImage::Save",
        "CWimImage::Unmount",
        "CGenericImagingManager::InternalCmdUnmount",
        "CGenericImagingManager::ExecuteCmdLine",
    ]
    assert found[1].severity is Severity.ERROR
    assert found[3].message.startswith("DISM WIM Provider: PID=<PID> TID=<TID> onecore\\base")


def test_lines_keep_their_numbers(shared_data: Path) -> None:
    lines = (shared_data.parent / "article.txt").read_text("utf-8").split("\n")
    for record in _article(shared_data):
        assert record.text == lines[record.line - 1] or record.text in lines[record.line - 1]
