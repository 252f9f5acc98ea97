"""Names of people, machines and domains: found where forms give them away, masked everywhere."""

from __future__ import annotations

import pytest

from wimdock.doctor.secrets import Secrets


def masked(*texts: str, own: tuple[str, ...] = ()) -> list[str]:
    secrets = Secrets(own)
    for text in texts:
        secrets.learn(text)
    return [secrets.mask(text) for text in texts]


@pytest.mark.parametrize(
    "text, expected",
    [
        (r"C:\Users\jdoe\AppData\Local\Temp", r"C:\Users\USER1\AppData\Local\Temp"),
        (r"C:\Users\Jane Doe\x", r"C:\Users\USER1\x"),
        (r"C:\Documents and Settings\jdoe\x", r"C:\Documents and Settings\USER1\x"),
        ("/home/jdoe/logs/dism.log", "/home/USER1/logs/dism.log"),
        (r"\\FS01\images\golden.wim", r"\\HOST1\images\golden.wim"),
        (r"\\?\UNC\fs01\images", r"\\?\UNC\HOST1\images"),
        ("SYS=cm01.contoso.local SITE=CAS", "SYS=HOST1.DOMAIN1 SITE=CAS"),
        ("SID S-1-5-21-1004336348-1177238915-682003330-512", "SID SID1"),
        ("mail jane.doe@contoso.com now", "mail MAIL1 now"),
        (r"user: CONTOSO\jdoe failed", r"user: DOMAIN1\USER1 failed"),
        (r"running as Contoso\jane.doe", r"running as DOMAIN1\USER1"),
        (r"impersonating CONTOSO\CM01$ now", r"impersonating DOMAIN1\HOST1$ now"),
        ("Computer name: WS-0815", "Computer name: HOST1"),
        ("https://cm01.contoso.local/AdminService", "https://HOST1.DOMAIN1/AdminService"),
        ("CN=Jane Doe,OU=x,DC=contoso,DC=de", "CN=USER1,OU=x,DC=DOMAIN1,DC=DOMAIN2"),
        ("at dc7.ad.contoso.com.", "at HOST1.DOMAIN1."),
        ("from 192.168.17.23, then [10.20.30.40]", "from HOST1, then [HOST2]"),
        ("at fe80::1ff:fe23:4567:890a and 2001:db8::7", "at HOST1 and HOST2"),
    ],
)
def test_a_name_is_masked(text: str, expected: str) -> None:
    assert masked(text) == [expected]


@pytest.mark.parametrize(
    "text",
    [
        r"C:\Users\Public\Documents and C:\Users\Default\x",
        r"HKLM\SOFTWARE and NT AUTHORITY\SYSTEM",
        r"D:\ConfigMgr_OfflineImageServicing\CAS00123\ImageMountDir",
        "OS Version=6.3.9600, Running architecture=amd64",
        r"onecore\base\ntsetup\opktools\dism\providers\wimprovider\dll\wimimage.cpp:194",
        "https://learn.microsoft.com/en-us/x",
        "Package_for_KB5000802~31bf3856ad364e35~amd64~~10.0.1.5",
        "Version 10.0.1.5, version=10.0.1.6, 6.3.9600.16384, 10.0.19041.985 at 22:30:04.000",
        "Package_for_KB5012170~31bf3856ad364e35~amd64~~10.0.1.1, CWimImage::Save",
        r"\\?\D:\mount and \\.\PhysicalDrive0",
        "[4120] [0x800700a1] ImageRecaptureDirectory:(141)",
        "S-1-5-18",
        "DISM WIM Provider: PID=4120 TID=7 - CWimImage::Save(hr:0x800700a1)",
        "DISM.EXE: Host machine information: OS Version=6.3.9600, Number of processors=2",
    ],
)
def test_what_is_no_name_stays(text: str) -> None:
    assert masked(text) == [text]


def test_the_same_name_gets_the_same_word_everywhere() -> None:
    texts = (r"C:\Users\jdoe\x", r"\\CM01\share", "SYS=cm01.contoso.local", "cm01 JDOE Contoso")
    assert masked(*texts) == [
        r"C:\Users\USER1\x",
        r"\\HOST1\share",
        "SYS=HOST1.DOMAIN1",
        "HOST1 USER1 DOMAIN1",
    ]


def test_a_part_of_a_longer_word_is_no_name() -> None:
    assert masked("SYS=cm01 SITE=x", "cm012 acm01 cm01_x")[1] == "cm012 acm01 HOST1_x"


def test_words_of_ours_stay_in_our_sentences() -> None:
    secrets = Secrets(("server",))
    secrets.learn("SYS=server.contoso.local SITE=x")
    assert secrets.mask("on server", sentence=True) == "on server"
    assert secrets.mask("on server.contoso.local", sentence=True) == "on HOST1.DOMAIN1"
    assert secrets.mask("SYS=server") == "SYS=HOST1"
