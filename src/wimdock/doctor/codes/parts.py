"""The parts of a code: severity, customer, N, facility and code, after [MS-ERREF] 2.1 and 2.3.

An HRESULT is severity (bit 31), reserved (30), customer (29), N (28), reserved (27), a facility of
11 bits and a code of 16. An NTSTATUS has two bits of severity (31-30) and 12 of facility. With N
set, an HRESULT is an NTSTATUS that HRESULT_FROM_NT wrapped.
"""

from __future__ import annotations

from typing import NamedTuple

N_BIT = 0x10000000
LOW_WORD = 0xFFFF
HRESULT_OF_WIN32 = 0x80070000

_CUSTOMER_BIT = 0x20000000
_NT_ERROR = 3
_NT_SEVERITIES = ("success", "information", "warning", "error")

_HRESULT_FACILITIES = {
    0: "NULL",
    1: "RPC",
    2: "DISPATCH",
    3: "STORAGE",
    4: "ITF",
    7: "WIN32",
    8: "WINDOWS",
    9: "SECURITY",
    10: "CONTROL",
    11: "CERT",
    12: "INTERNET",
    13: "MEDIASERVER",
    14: "MSMQ",
    15: "SETUPAPI",
    16: "SCARD",
    17: "COMPLUS",
    18: "AAF",
    19: "URT",
    20: "ACS",
    21: "DPLAY",
    22: "UMI",
    23: "SXS",
    24: "WINDOWS_CE",
    25: "HTTP",
    26: "USERMODE_COMMONLOG",
    31: "USERMODE_FILTER_MANAGER",
    32: "BACKGROUNDCOPY",
    33: "CONFIGURATION",
    34: "STATE_MANAGEMENT",
    35: "METADIRECTORY",
    36: "WINDOWSUPDATE",
    37: "DIRECTORYSERVICE",
    38: "GRAPHICS",
    39: "SHELL",
    40: "TPM_SERVICES",
    41: "TPM_SOFTWARE",
    48: "PLA",
    49: "FVE",
    50: "FWP",
    51: "WINRM",
    52: "NDIS",
    53: "USERMODE_HYPERVISOR",
    54: "CMI",
    55: "USERMODE_VIRTUALIZATION",
    56: "USERMODE_VOLMGR",
    57: "BCD",
    58: "USERMODE_VHD",
    60: "SDIAG",
    61: "WEBSERVICES",
    80: "WINDOWS_DEFENDER",
    81: "OPC",
}
_NTSTATUS_FACILITIES = {
    0x00: "none",
    0x01: "DEBUGGER",
    0x02: "RPC_RUNTIME",
    0x03: "RPC_STUBS",
    0x04: "IO_ERROR_CODE",
    0x07: "NTWIN32",
    0x08: "NTCERT",
    0x09: "NTSSPI",
    0x0A: "TERMINAL_SERVER",
    0x0B: "MUI_ERROR_CODE",
    0x10: "USB_ERROR_CODE",
    0x11: "HID_ERROR_CODE",
    0x12: "FIREWIRE_ERROR_CODE",
    0x13: "CLUSTER_ERROR_CODE",
    0x14: "ACPI_ERROR_CODE",
    0x15: "SXS_ERROR_CODE",
    0x19: "TRANSACTION",
    0x1A: "COMMONLOG",
    0x1B: "VIDEO",
    0x1C: "FILTER_MANAGER",
    0x1D: "MONITOR",
    0x1E: "GRAPHICS_KERNEL",
    0x20: "DRIVER_FRAMEWORK",
    0x21: "FVE_ERROR_CODE",
    0x22: "FWP_ERROR_CODE",
    0x23: "NDIS_ERROR_CODE",
    0x35: "HYPERVISOR",
    0x36: "IPSEC",
}
# The upper words of programs that keep to neither list.
_FAMILIES = {
    0xC004: "the DISM API",
    0xC142: "the image library",
    0xC143: "the image library",
    0xC144: "the image library",
    0xC151: "DISM's WIM provider",
    0xC190: "Windows Setup",
}
# What a facility is used for where its official name does not say it.
_USES = {15: "setup and component-based servicing", 36: "Windows Update"}


class Parts(NamedTuple):
    """A code taken apart.

    `form` is "HRESULT" or "NTSTATUS". `facility_name` is the official name, with what it is used
    for, or empty where it is not known.
    """

    form: str
    severity: str
    customer: bool
    nt: bool
    facility: int
    facility_name: str
    code: int


def wrapped(code: int) -> int:
    """Give the HRESULT of a code: a plain Win32 code gets its upper word, others stay."""
    return HRESULT_OF_WIN32 | code if 0 < code <= LOW_WORD else code


def win32_value(code: int) -> int | None:
    """Give the Win32 code that a code stands for, or None: 161 for 161 and for 0x800700A1.

    0x80070000 stands for none: it says that something failed, and success has another HRESULT.
    """
    if code <= LOW_WORD:
        return code
    upper = (code & ~N_BIT) >> 16
    # 0xC007 is facility NTWIN32 of an NTSTATUS.
    return (code & LOW_WORD or None) if upper in (0x8007, 0xC007) else None


def parts_of(code: int, *, is_ntstatus: bool = False) -> Parts:
    """Take a code of 32 bits apart, as it is: a plain Win32 code is `wrapped` before.

    `is_ntstatus` says that it is a code of the table of NTSTATUS. Of a customer's code, the
    facility is the customer's and has no name here.
    """
    customer = bool(code & _CUSTOMER_BIT)
    nt = bool(code & N_BIT)
    low = code & LOW_WORD
    family = _FAMILIES.get(code >> 16)
    by_severity = code >> 30 == _NT_ERROR and family is None
    if nt or is_ntstatus or by_severity:
        facility = (code & ~N_BIT) >> 16 & 0xFFF
        name = "" if customer else _NTSTATUS_FACILITIES.get(facility, "")
        form = "HRESULT" if nt else "NTSTATUS"
        return Parts(form, _NT_SEVERITIES[code >> 30], customer, nt, facility, name, low)
    facility = code >> 16 & 0x7FF
    name = "" if customer else family or _HRESULT_FACILITIES.get(facility, "")
    if name and family is None and facility in _USES:
        name += f", {_USES[facility]}"
    severity = "failure" if code >> 31 else "success"
    return Parts("HRESULT", severity, customer, nt, facility, name, low)
