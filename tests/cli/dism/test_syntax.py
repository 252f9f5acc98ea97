"""DISM's command line: every spelling, every refusal with its code, never a traceback."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wimdock.cli.dism.syntax import CommandLine, parse
from wimdock.cli.dism.verbs import (
    EVERY_OPTION,
    GLOBAL_OPTIONS,
    REFUSED,
    REFUSED_EVERYWHERE,
    SERVED,
    VERBS,
    Verb,
)
from wimdock.errors import UsageError

NAMES = sorted({*VERBS, *EVERY_OPTION, "?", "nonsense"})
VALUES = st.one_of(
    st.none(),
    st.sampled_from(["", "1", "0", "D:\\a b", '"D:\\a"', "/srv/mnt", "Table", "\0", "=", '"']),
    st.text(max_size=8),
)
TOKENS = st.one_of(
    st.text(max_size=12),
    st.builds(
        lambda prefix, name, mark, value: prefix + name + ("" if value is None else mark + value),
        st.sampled_from(["/", "-", "--", ""]),
        st.sampled_from(NAMES).flatmap(lambda name: st.sampled_from([name, name.upper()])),
        st.sampled_from([":", "="]),
        VALUES,
    ),
)


def code_of(*tokens: str) -> int:
    """Give the Win32 code with which a command line is refused."""
    with pytest.raises(UsageError) as caught:
        parse(tokens)
    assert caught.value.hint
    assert caught.value.hresult is not None
    assert caught.value.hresult >> 16 == 0x8007
    return caught.value.hresult & 0xFFFF


def read(tokens: list[str]) -> CommandLine | UsageError:
    try:
        return parse(tokens)
    except UsageError as error:
        return error


@given(st.lists(TOKENS, max_size=6))
def test_any_tokens_give_a_command_line_or_our_error(tokens: list[str]) -> None:
    line = read(tokens)
    if isinstance(line, UsageError):
        assert line.hresult in (0x80070057, 0x80070032, 0x80070667)
        assert line.hint
    elif not line.help_wanted:
        assert line.verb in SERVED
        served = (*line.verb.options, *GLOBAL_OPTIONS)
        assert set(line.options) <= {option.name.lower() for option in served}


def test_the_article_s_command() -> None:
    typed = r"D:\ConfigMgr_OfflineImageServicing\CAS00123\ImageMountDir"
    line = parse(["/unmount-image", f"/mountdir:{typed}", "/discard"])
    assert line.verb is VERBS["unmount-image"]
    assert line.text("MountDir") == typed
    assert line.has("Discard")
    assert not line.has("Commit")


@pytest.mark.parametrize(
    "tokens",
    [
        ["/Mount-Wim", "/WimFile:a.wim", "/Index:1", "/MountDir:/srv/mnt"],
        ["/MOUNT-IMAGE", "/IMAGEFILE:a.wim", "/INDEX:1", "/MOUNTDIR:/srv/mnt"],
        ["-Mount-Image", "-ImageFile:a.wim", "-Index:1", "-MountDir:/srv/mnt"],
        ["/mountdir=/srv/mnt", "/index=1", "/imagefile=a.wim", "/mount-image"],
        ['"/Mount-Image"', '/ImageFile:"a.wim"', "/Index:1", '"/MountDir:/srv/mnt"'],
    ],
)
def test_spellings_of_one_command(tokens: list[str]) -> None:
    line = parse(tokens)
    assert line.verb is VERBS["mount-image"]
    assert line.text("ImageFile", "WimFile") == "a.wim"
    assert line.number("Index") == 1
    assert line.text("MountDir") == "/srv/mnt"


def test_a_value_keeps_its_colons_equals_signs_and_spaces() -> None:
    line = parse(["/Get-ImageInfo", r"/ImageFile:C:\a b\x=y.wim"])
    assert line.text("ImageFile") == r"C:\a b\x=y.wim"


@pytest.mark.parametrize(
    "tokens, code",
    [
        ((), 1639),
        (("/Image:C:\\mnt",), 1639),
        (("/Quiet",), 1639),
        (("/Nonsense",), 87),
        (("online",), 87),
        (("/Get-ImageInfo", "C:\\a.wim"), 87),
        (("/Get-ImageInfo",), 87),
        (("/Get-ImageInfo:x", "/ImageFile:a"), 87),
        (("/Get-ImageInfo", "/ImageFile:"), 87),
        (("/Get-ImageInfo", '/ImageFile:""'), 87),
        (("/Get-ImageInfo", "/ImageFile:a\0b"), 87),
        (("/Get-ImageInfo", "/ImageFile:a", "/ImageFile:b"), 87),
        (("/Get-ImageInfo", "/ImageFile:a", "/WimFile:b"), 87),
        (("/Get-ImageInfo", "/ImageFile:a", "/Index:1", "/Name:x"), 87),
        (("/Get-ImageInfo", "/ImageFile:a", "/Commit"), 87),
        (("/Get-ImageInfo", "/ImageFile:a", "/Image:b"), 87),
        (("/Get-ImageInfo", "/Get-Packages", "/ImageFile:a"), 87),
        (("/Mount-Image", "/ImageFile:a", "/MountDir:b"), 87),
        (("/Unmount-Image", "/MountDir:b"), 87),
        (("/Unmount-Image", "/MountDir:b", "/Commit", "/Discard"), 87),
        (("/Unmount-Image", "/MountDir:b", "/Commit:yes"), 87),
        (("/Unmount-Image", "/MountDir:b", "/Commit", "/Append"), 50),
        (("/Commit-Image", "/MountDir:b", "/Append"), 50),
        (("/Remove-Package", "/Image:b", "/PackageName:x"), 50),
        (("/Online", "/Cleanup-Image", "/RestoreHealth"), 50),
        (("/Online", "/Get-Packages"), 50),
        (("/Image:b", "/Get-Packages", "/WinDir:x"), 50),
        (("/Image:b", "/Add-Package", "/PackagePath:x", "/IgnoreCheck"), 50),
    ],
)
def test_refusals_have_the_code_that_dism_gives(tokens: tuple[str, ...], code: int) -> None:
    assert code_of(*tokens) == code


@pytest.mark.parametrize("verb", REFUSED, ids=lambda verb: str(verb.name))
def test_a_verb_that_is_not_served_says_so_whatever_its_options(verb: Verb) -> None:
    assert code_of(f"/{verb.name}", "/AnythingOfIts:own") == 50


def test_options_that_no_verb_serves() -> None:
    for option in REFUSED_EVERYWHERE:
        value = ":x" if option.takes_value else ""
        assert code_of("/Get-MountedImageInfo", f"/{option.name}{value}") == 50


@pytest.mark.parametrize("text", ["0", "-1", "1.0", "one", "\u0661", "1" * 10, " 1"])
def test_an_index_is_a_number_from_1_on(text: str) -> None:
    line = parse(["/Get-ImageInfo", "/ImageFile:a", f"/Index:{text}"])
    with pytest.raises(UsageError) as caught:
        line.number("Index")
    assert caught.value.hresult == 0x80070057


def test_a_choice_is_taken_in_any_letter_case() -> None:
    line = parse(["/Get-Packages", "/Image:a", "/Format:TABLE"])
    assert line.choice("Format", ("table", "list"), "list") == "table"
    assert parse(["/Get-Packages", "/Image:a"]).choice("Format", ("list",), "list") == "list"
    with pytest.raises(UsageError) as caught:
        line.choice("Format", ("list",), "list")
    assert caught.value.hresult == 0x80070057


def test_packages_may_be_named_several_times() -> None:
    line = parse(["/Add-Package", "/Image:a", "/PackagePath:x", "/PackagePath:y"])
    assert line.texts("PackagePath") == ("x", "y")


def test_help_is_never_refused() -> None:
    assert parse(["/?"]).help_wanted
    assert parse(["/Mount-Image", "/?"]).verb is VERBS["mount-image"]
    assert parse(["/Nonsense", "-?"]).verb is None


def test_a_long_token_is_not_repeated_whole() -> None:
    with pytest.raises(UsageError) as caught:
        parse(["/" + string.ascii_letters * 100])
    assert len(caught.value.message) < 120


def test_no_name_means_two_things() -> None:
    assert not set(VERBS) & set(EVERY_OPTION)
    assert len(VERBS) == sum(1 + len(verb.aliases) for verb in (*SERVED, *REFUSED))
