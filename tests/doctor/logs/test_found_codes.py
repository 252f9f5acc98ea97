"""Which numbers are codes and which only look like it; which functions are named."""

from __future__ import annotations

import pytest

from wimdock.doctor.logs.found_codes import codes_in
from wimdock.doctor.logs.found_functions import functions_in


@pytest.mark.parametrize(
    "message, expected",
    [
        ("CWimImage::Save(hr:0x800700a1)", [0x800700A1]),
        ("(HRESULT=0x800700A1)", [0x800700A1]),
        ("[HRESULT = 0x800f0805 - CBS_E_INVALID_PACKAGE]", [0x800F0805]),
        ("failed. HRESULT=800F081E", [0x800F081E]),
        ("Error: 0xc1420127", [0xC1420127]),
        ("status 0xD00000BB and hr=0x80070005, again 0x80070005", [0xD00000BB, 0x80070005]),
        ("exit code -2147024735.", [0x800700A1]),
        ("DISM ended with -1052638953", [0xC1420117]),
        ("Image UnMount failed with error 161", [161]),
        ("update with ID 16787962 on the image. ErrorCode = 123", [123]),
        ("exit code 3010", [3010]),
        ("Exit code: 0x57", [0x57]),
        ("UnMountImage returned code 0x800700a1~", [0x800700A1]),
        ("Win32 error (5)", [5]),
        ("Error Code: 0xA1 (161)", [0xA1]),
        ("error code is 0x5", [5]),
        ("GetLastError: error 2147942561", [0x800700A1]),
        ('STATMSG: ID=7913 SEV=E LEV=M ISTR0="CAS00123" ISTR2="D:\\m" ISTR3="161"', [161]),
        ("[0xb0070005] F", [0xB0070005]),
        ("hr:0x9", [9]),
    ],
)  # fmt: skip
def test_codes(message: str, expected: list[int]) -> None:
    assert list(codes_in(message)) == expected


@pytest.mark.parametrize(
    "message",
    [
        "",
        "WcpInitialize called (stack @0x7ffd497360e5 @0x7ffd49be2e53 @0x8f3a2b10)",
        "flags: 0x80000006 size=0x80001000 tag 0x9000001A address 0xc0001234",
        "SMS_EXECUTIVE started SMS_OFFLINE_SERVICING_MANAGER as thread ID 5832 (0x16C8).",
        "ThreadID = 0xD08 (3336)",
        "0x800700a1ff 0x0800700a1 x0x800700a1y",
        "S-1-5-21-2147483647-1234567890-123456789-500",
        "(HRESULT=0x0) hr:0x00000000 error 0 exit code 0",
        "version 10.0.14393 PID=10500 KB5000802 amd64~~10.0.19041.985",
        "3 errors, error 3 of 5, Error: 2 files",
        'Status = 4, ID 16787962, ISTR3="161"',
        "phone 555-123456789 build 1-2147024735",
        "mask 0xffffffff value 0xffffffff",
        "reparse tag 0xa0000003 0xa000000c",
        "Total elapsed time 00:00:21 code page 1252",
        "2024-05-06 07:08:09",
    ],
)  # fmt: skip
def test_numbers_that_are_no_codes(message: str) -> None:
    assert codes_in(message) == ()


@pytest.mark.parametrize(
    "message, expected",
    [
        (r"onecore\wimimage.cpp:194 - CWimImage::Save(hr:0x800700a1)", ["CWimImage::Save"]),
        ("WIM::UnMountWIMImage returned code 0x800700a1~", ["WIM::UnMountWIMImage"]),
        ("UnMountImage returned code 0x800700a1~", ["UnMountImage"]),
        ("GetUpdateApplicability returned code 0x80004001~", ["GetUpdateApplicability"]),
        ("[GetFileStorageTierClass:(80) -> x] (HRESULT=0x0) CWimManager::WimProviderMsgLogCallback",
         ["GetFileStorageTierClass", "CWimManager::WimProviderMsgLogCallback"]),
        ("RestoreHardlinks failed", ["RestoreHardlinks"]),
        ("RestoreReparsePoint:(1332) with 0x80070057", ["RestoreReparsePoint"]),
        ("Schedule processing failed", []),
        ("fe80::1 and D:\\x at 12:30", []),
    ],
)  # fmt: skip
def test_functions(message: str, expected: list[str]) -> None:
    assert list(functions_in(message)) == expected


def test_a_negative_number_is_a_code_where_its_digits_are() -> None:
    assert codes_in("ended with -2147024735") == (0x800700A1,)
    assert codes_in("free space changed by -214702473") == ()
