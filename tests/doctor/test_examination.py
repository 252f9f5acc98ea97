"""Logs in, findings out: what belongs together, what follows from what, what went well later."""

from __future__ import annotations

import random
from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest

from tests.doctor.made_logs import MOUNT, START, Dism, Offline, unmount
from wimdock.configmgr.provider import parse_provider
from wimdock.doctor.examination import Examination, Reading, examine
from wimdock.doctor.image_facts import ImageFacts
from wimdock.doctor.rule import Rule
from wimdock.doctor.rules import load_rules
from wimdock.doctor.trace import MOST_TRACES

FIRST = "unknown-reparse-points"
STALE = "stale-mount"


@cache
def rules() -> tuple[Rule, ...]:
    return load_rules()


def found(
    *paths: Path, providers: tuple[str, ...] = (), image: ImageFacts | None = None
) -> Examination:
    return examine(paths, rules(), tuple(map(parse_provider, providers)), image)


def brief(examination: Examination) -> list[tuple[str | None, str | None, str]]:
    return [
        (
            each.rule.id if each.rule else None,
            each.confidence.value if each.confidence else None,
            each.incident.package,
        )
        for each in examination.findings
    ]


def failed_run(package: str = "CAS00123") -> Offline:
    log = Offline().begin().image(package).pause(30).unmount_fails(package)
    return log.completed(package, "Failed").end()


@pytest.mark.parametrize(
    "host, expected",
    [("6.3.9600", (FIRST, "high")), ("6.2.9200", (FIRST, "high")), ("10.0.17763", (None, None))],
)
def test_the_host_in_dism_log_decides(
    host: str, expected: tuple[str | None, str | None], tmp_path: Path
) -> None:
    at = START + timedelta(minutes=30)
    dism = Dism(at).begin(unmount("CAS00123", "Commit"), host).commit_fails().end()
    examination = found(failed_run().write(tmp_path), dism.write(tmp_path))
    (only,) = examination.findings
    assert ((only.rule.id if only.rule else None), brief(examination)[0][1]) == expected
    assert str(only.incident.host) == host
    if expected[0] is None:
        assert [each.rule.id for each in only.ruled_out] == [FIRST]
        assert "Server 2019" in only.ruled_out[0].because
        assert only.codes == (0x800700A1,)
        assert only.traces[0].functions[0] == "ImageRecaptureDirectory"


def test_without_a_host_it_is_less_sure_and_a_provider_makes_it_surer(tmp_path: Path) -> None:
    log = failed_run().write(tmp_path)
    assert brief(found(log)) == [(FIRST, "medium", "CAS00123")]
    dism = Dism(START + timedelta(minutes=30)).commit_fails().write(tmp_path)
    assert brief(found(log, dism)) == [(FIRST, "medium", "CAS00123")]
    assert brief(found(log, dism, providers=("CM01=6.3.9600",))) == [(FIRST, "high", "CAS00123")]
    assert brief(found(log, dism, providers=("CM01=Server 2019",))) == [(None, None, "CAS00123")]


def test_of_several_providers_the_one_that_the_log_names_counts(tmp_path: Path) -> None:
    log = failed_run().write(tmp_path)
    dism = Dism(START + timedelta(minutes=30)).commit_fails().write(tmp_path)
    both = ("CM01.contoso.local=6.3.9600", "CM02=10.0.17763")
    assert brief(found(log, dism, providers=both))[0][1] == "high"
    others = ("CM03=6.3.9600", "CM02=10.0.17763")
    (finding,) = found(log, dism, providers=others).findings
    assert finding.confidence is not None
    assert finding.confidence.value == "medium"
    assert any("differ" in note for note in finding.notes)
    assert [each.verdict for each in finding.hosts] == ["affected", "not_affected"]


def test_a_dism_log_of_another_machine_names_no_host(tmp_path: Path) -> None:
    log = failed_run().write(tmp_path)
    other = Dism(START + timedelta(minutes=10)).begin(
        r"dism.exe /Get-ImageInfo /ImageFile:E:\a.wim", "10.0.22631"
    )
    other.end()
    assert brief(found(log, other.write(tmp_path))) == [(FIRST, "medium", "CAS00123")]
    same = Dism(START + timedelta(minutes=1)).begin(unmount("CAS00123", "Commit")).end()
    assert brief(found(log, same.write(tmp_path))) == [(FIRST, "medium", "CAS00123")]
    (finding,) = found(log, same.write(tmp_path)).findings
    assert str(finding.incident.host) == "6.3.9600"


def test_a_provider_that_contradicts_the_log_is_told(tmp_path: Path) -> None:
    dism = Dism(START + timedelta(minutes=30)).begin(unmount("CAS00123", "Commit")).commit_fails()
    logs = (failed_run().write(tmp_path), dism.end().write(tmp_path))
    (finding,) = found(*logs, providers=("CM01=10.0.17763",)).findings
    assert finding.rule is not None
    assert finding.rule.id == FIRST
    assert "was given as 10.0.17763: the log counts" in finding.notes[0]


def test_one_failure_told_in_many_ways_is_one_finding(tmp_path: Path) -> None:
    (finding,) = found(failed_run().write(tmp_path)).findings
    assert finding.codes == (0x800700A1,)
    assert [trace.line for trace in finding.traces] == [4, 5, 6, 7, 8]
    command = f"Dism.exe /unmount-image /mountdir:{MOUNT.format(package='CAS00123')} /discard"
    assert finding.clean_up[0].command == command
    assert finding.incident.index == 1


def test_two_failures_in_one_log_are_two_findings(tmp_path: Path) -> None:
    log = Offline().begin().image("CAS00123")
    log.line("Applying update with ID 16787962 on image at index 1.")
    log.line("InstallUpdate returned code 0x800f082f~").pause(5).unmount_fails("CAS00123")
    log.completed("CAS00123", "Failed")
    log.image("CAS00124").line("InstallUpdate returned code 0x80070bc9~")
    log.completed("CAS00124", "Failed").end()
    examination = found(log.write(tmp_path))
    assert brief(examination) == [
        ("exclusive-session", "high", "CAS00123"),
        (FIRST, "medium", "CAS00123"),
        (None, None, "CAS00124"),
    ]
    first, second, third = examination.findings
    assert first.updates == ("update 16787962",)
    assert third.codes == (0x80070BC9,)
    assert third.may_follow is second


def test_after_effects_follow_from_the_failure_before(tmp_path: Path) -> None:
    log = failed_run().pause(60).begin(16777218).image("CAS00124")
    log.line("WIM::MountWIMImage returned code 0xc1420127~")
    log.completed("CAS00124", "Failed").end()
    first, second = found(log.write(tmp_path)).findings
    assert second.rule is not None
    assert (second.rule.id, second.incident.package) == (STALE, "CAS00124")
    assert second.follows is first
    assert first.follows is None


@pytest.mark.parametrize("way, follows", [("Discard", False), ("Commit", True)])
def test_nothing_follows_from_what_was_cleaned_up_between(
    way: str,
    follows: bool,  # noqa: FBT001
    tmp_path: Path,
) -> None:
    log = failed_run()
    dism = Dism(log.at + timedelta(minutes=5)).begin(unmount("CAS00123", way)).end()
    log.pause(60).begin(16777218).image("CAS00124")
    log.line("WIM::MountWIMImage returned code 0xc1420127~")
    log.completed("CAS00124", "Failed").end()
    findings = found(log.write(tmp_path), dism.write(tmp_path)).findings
    assert [each.incident.package for each in findings] == ["CAS00123", "CAS00124"]
    assert (findings[1].follows is findings[0]) is follows


def test_a_success_after_a_failure_is_told_and_one_before_is_not(tmp_path: Path) -> None:
    log = Offline().begin().image("CAS00123").completed("CAS00123", "Success").end("succeeded")
    log.pause(60).begin().image("CAS00123").unmount_fails("CAS00123")
    log.completed("CAS00123", "Failed").end()
    (finding,) = found(log.write(tmp_path)).findings
    assert finding.since_succeeded is None
    log.pause(60).begin().image("CAS00123").completed("CAS00123", "Success").end("succeeded")
    (finding,) = found(log.write(tmp_path)).findings
    assert finding.since_succeeded is not None
    assert finding.since_succeeded.line == len(log.lines) - 1


def test_the_same_failure_night_after_night_is_one_finding(tmp_path: Path) -> None:
    log = Offline()
    for _ in range(5):
        log.begin().image("CAS00123").unmount_fails("CAS00123")
        log.completed("CAS00123", "Failed").end().pause(24 * 60)
    (finding,) = found(log.write(tmp_path)).findings
    assert len(finding.incidents) == 5
    assert finding.incident is finding.latest


def test_the_log_that_was_rolled_over_belongs_to_it(tmp_path: Path) -> None:
    whole = failed_run()
    older, newer = Offline(), Offline()
    older.lines, newer.lines = whole.lines[:4], whole.lines[4:]
    older.lines.append("<MAXIMUM LOG FILE SIZE REACHED - FILE RENAMED>")
    older.write(tmp_path, "OfflineServicingMgr.lo_")
    (finding,) = found(newer.write(tmp_path)).findings
    assert finding.incident.image == r"D:\images\CAS00123.wim"
    assert finding.incident.begin.file.endswith(".lo_")


def test_a_healthy_log_has_no_findings(tmp_path: Path) -> None:
    log = Offline().begin().image("CAS00123")
    log.line("InstallUpdate returned code 0x0~").line("UnMounting Image (Commit Changes = 1)...")
    log.completed("CAS00123", "Success").end("succeeded")
    dism = Dism().begin(unmount("CAS00123", "Commit"))
    dism.line(
        "DISM Provider Store: PID=4120 Failed to get and initialize the PE Provider.  Continuing "
        "by assuming that it is not a WinPE image. - CDISMProviderStore::Final_OnConnect"
    )
    dism.line("DISM Provider Store: PID=4120 Failed to Load the provider", "Warning")
    dism.line(
        "DISM WIM Provider: PID=4120 [GetFileStorageTierClass:(80) -> StorageTiering not "
        "supported] (null) (HRESULT=0x0) - CWimManager::WimProviderMsgLogCallback"
    )
    dism.stack("0xc142011c", "UnmarshallImageHandleFromDirectory", 641).end()
    dism.line("Failed to internally open package. [HRESULT = 0x800f0805]", component="CBS")
    examination = found(log.write(tmp_path), dism.write(tmp_path))
    assert examination.findings == ()
    mentioned = {each.code for each in examination.gathered.mentions.values()}
    assert mentioned == {0x800F0805}


def test_real_logs_have_no_finding_beyond_what_is_in_them(shared_data: Path) -> None:
    logs = shared_data / "logs"
    assert found(logs / "CBS.log.xz").findings == ()
    findings = found(logs / "win7_dism.log.xz").findings
    assert all(each.rule is None and each.codes == () for each in findings)
    # These four are the records that the log itself marks as errors: mistyped commands.
    assert [each.traces[0].line for each in findings] == [299, 678, 1389, 1436]


def test_an_unknown_failure_names_the_innermost_error_first(tmp_path: Path) -> None:
    dism = Dism().begin(r"dism.exe /Mount-Image /ImageFile:E:\a.wim /Index:2 /MountDir:E:\m")
    dism.error("0x80004005", "CWimImage::Mount").stack("0x80070bc9", "WIMMountImage")
    dism.end()
    (finding,) = found(dism.write(tmp_path)).findings
    assert finding.rule is None
    assert finding.codes == (0x80070BC9, 0x80004005)
    assert (finding.incident.index, finding.incident.mount) == (2, r"E:\m")
    assert "0x80070BC9" in finding.what_happened


def test_a_run_that_failed_without_a_code_is_an_unknown_failure(tmp_path: Path) -> None:
    log = Offline().begin().image("CAS00123").completed("CAS00123", "Failed").end()
    (finding,) = found(log.write(tmp_path)).findings
    assert (finding.rule, finding.codes) == (None, ())
    assert "no code" in finding.what_happened
    log = Offline().begin().line("Initialization of schedule processing succeeded").end()
    (finding,) = found(log.write(tmp_path)).findings
    assert finding.incident.package == ""


def test_a_session_in_another_place_belongs_to_no_image(tmp_path: Path) -> None:
    at = START + timedelta(minutes=30)
    dism = Dism(at).begin(r"dism.exe /Unmount-Image /MountDir:E:\mine /Commit", "10.0.26100")
    dism.error("0x80070bc9", "CWimImage::Unmount").end()
    first, second = found(failed_run().write(tmp_path), dism.write(tmp_path)).findings
    assert (first.incident.package, second.incident.package) == ("CAS00123", "")
    assert second.incident.mount == r"E:\mine"


def test_sessions_of_two_processes_are_told_apart(tmp_path: Path) -> None:
    one, other = Dism(pid=100), Dism(pid=200)
    one.line("PID=100 Scratch directory set. - CDISMManager::put_ScratchDir")
    one.begin(r"dism.exe /Mount-Image /MountDir:E:\one")
    one.line("DISM WIM Provider: PID=100 TID=1 Mounting")
    other.line("PID=200 Scratch directory set. - CDISMManager::put_ScratchDir")
    other.begin(r"dism.exe /Mount-Image /MountDir:E:\other")
    other.line("DISM WIM Provider: PID=200 TID=1 Mounting")
    one.lines += other.lines
    one.stack("0x80070bc9", "WIMMountImage").error("0x80070bc9", "CWimImage::Mount")
    (finding,) = found(one.write(tmp_path)).findings
    assert finding.incident.mount == r"E:\one"


def test_the_image_tells_which_remedies_fit(tmp_path: Path) -> None:
    log = failed_run().write(tmp_path)
    old = ImageFacts(version=(10, 0, 16299, 15), reparse="strong")
    new = ImageFacts(version=(10, 0, 19045, 3803), reparse="strong")
    fits = {}
    for image in (None, old, new):
        (finding,) = found(log, providers=("CM01=6.3.9600",), image=image).findings
        fits[image] = [each.fits for each in finding.advice]
        assert len(finding.advice) == 4
    assert fits[None][3] == "not_known"
    assert fits[old] == ["fits"] * 4
    assert fits[new][3] == "does_not_fit"
    assert finding.advice[3].why


def test_what_is_kept_of_a_session_is_bounded(tmp_path: Path) -> None:
    log = Offline().begin().image("CAS00123")
    for number in range(3000):
        log.line(
            f"Some{chr(65 + number % 26)}{chr(97 + number // 26)}Step returned code 0x80070bc9~"
        )
    log.unmount_fails("CAS00123").completed("CAS00123", "Failed").end()
    examination = found(log.write(tmp_path))
    assert {each[0] for each in brief(examination)} == {FIRST, None}
    (session,) = examination.gathered.works
    assert len(session.traces.kept) <= MOST_TRACES + 10
    assert session.traces.left_out > 2000


@pytest.mark.parametrize("seed", range(20))
def test_damaged_logs_raise_nothing(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    texts = []
    for path in (
        failed_run().write(tmp_path, "a.log"),
        Dism().begin(unmount("CAS00123", "Commit")).commit_fails().end().write(tmp_path, "b.log"),
    ):
        data = bytearray(path.read_bytes())
        for _ in range(chance.randrange(1, 60)):
            at = chance.randrange(len(data))
            data[at : at + chance.randrange(9)] = chance.randbytes(chance.randrange(4))
        texts.append(bytes(data[: chance.randrange(1, len(data))]))
    path = tmp_path / "OfflineServicingMgr.log"
    path.write_bytes(texts[0] + texts[1] + texts[0])
    examination = found(path)
    assert examination.gathered.records


def test_the_fast_way_finds_what_the_slow_way_finds(tmp_path: Path) -> None:
    at = START + timedelta(minutes=30)
    logs = (
        failed_run().write(tmp_path),
        Dism(at).begin(unmount("CAS00123", "Commit")).commit_fails().end().write(tmp_path),
    )
    slow, fast = found(*logs), examine(logs, rules(), reading=Reading(notable_only=True))
    assert brief(slow) == brief(fast)
    assert [each.traces for each in slow.findings] != []
    lines = [[(t.file, t.line) for t in each.traces] for each in slow.findings]
    assert lines == [[(t.file, t.line) for t in each.traces] for each in fast.findings]


def test_an_image_that_may_be_another_is_doubted(tmp_path: Path) -> None:
    log = failed_run().write(tmp_path)
    same = ImageFacts(reparse="strong", file="/srv/cas00123.WIM", index=1)
    other = ImageFacts(reparse="strong", file="/srv/other.wim", index=2)
    (finding,) = found(log, image=same).findings
    assert not any("image file" in note or "--index" in note for note in finding.notes)
    (finding,) = found(log, image=other).findings
    assert any("other.wim was given" in note for note in finding.notes)
    assert any("image 2 of the file was looked at" in note for note in finding.notes)


def test_lines_that_name_no_image_may_be_of_the_server(tmp_path: Path) -> None:
    dism = Dism().line("Failed [HRESULT = 0x80073712 - X]", "Error", "CBS")
    (finding,) = found(dism.write(tmp_path, "CBS.log")).findings
    assert any("server's own updates" in note for note in finding.notes)
