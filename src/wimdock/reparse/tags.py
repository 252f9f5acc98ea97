"""Reparse tags: whose they are, what their bits mean, and since when Windows knows them.

Names and values after [MS-FSCC] 2.1.2.1 and, for those that it leaves out, the headers of the
Windows SDK. The build since which a tag is known is common knowledge and not specified; where it
is None the tag is as old as reparse points as far as anybody can tell.
"""

from __future__ import annotations

from typing import NamedTuple

from wimdock.reparse.hosts import (
    SERVER_2003,
    SERVER_2008,
    SERVER_2008_R2,
    SERVER_2012,
    SERVER_2012_R2,
    SERVER_2016,
    SERVER_2019,
    VISTA,
    WINDOWS_10_1709,
    WINDOWS_10_1803,
    WINDOWS_10_2004,
    WINDOWS_2000,
    Build,
)

MICROSOFT = 0x80000000
"""Microsoft owns the tag; without it the data begin with the GUID of a third party."""
RESERVED = 0x40000000
"""Reserved; in old tags: the data behind it are slow to come by."""
NAME_SURROGATE = 0x20000000
"""The file or folder stands for another one: it is a link of some kind."""
DIRECTORY = 0x10000000
"""A folder with this tag may have children."""

_CODE = 0xFFFF
_CODE_OF_VARIANT = 0x0FFF

MOUNT_POINT = 0xA0000003
SYMLINK = 0xA000000C
DEDUP = 0x80000013
NFS = 0x80000014
FILE_PLACEHOLDER = 0x80000015
WOF = 0x80000017
WCI = 0x80000018
WCI_1 = 0x90001018
GLOBAL_REPARSE = 0xA0000019
CLOUD = 0x9000001A
APPEXECLINK = 0x8000001B
PROJFS = 0x9000001C
LX_SYMLINK = 0xA000001D
STORAGE_SYNC = 0x8000001E
WCI_TOMBSTONE = 0xA000001F
UNHANDLED = 0x80000020
ONEDRIVE = 0x80000021
PROJFS_TOMBSTONE = 0xA0000022
AF_UNIX = 0x80000023
LX_FIFO = 0x80000024
LX_CHR = 0x80000025
LX_BLK = 0x80000026
STORAGE_SYNC_FOLDER = 0x90000027
WCI_LINK = 0xA0000027
WCI_LINK_1 = 0xA0001027
WIM = 0x80000008

CLOUD_TAGS = frozenset(CLOUD | variant << 12 for variant in range(16))
"""CLOUD and its fifteen variants: the sync provider picks one."""


class Tag(NamedTuple):
    """A reparse tag; `purpose` says in a few words what it serves."""

    value: int
    name: str
    purpose: str
    since: Build | None = None

    @property
    def is_microsoft(self) -> bool:
        """Tell whether Microsoft owns it."""
        return bool(self.value & MICROSOFT)

    @property
    def is_name_surrogate(self) -> bool:
        """Tell whether what carries it stands for another file or folder."""
        return bool(self.value & NAME_SURROGATE)

    @property
    def may_have_children(self) -> bool:
        """Tell whether a folder that carries it may hold something."""
        return bool(self.value & DIRECTORY)

    @property
    def is_listed(self) -> bool:
        """Tell whether it is in the table of Microsoft's or of third parties' tags."""
        return self.value in TAGS or self.value in THIRD_PARTY_NAMES

    def is_known_to(self, host: Build) -> bool:
        """Tell whether Windows of that build knows it; a third party's tag, never by itself."""
        if not self.is_microsoft:
            return False
        if self.value in TAGS:
            return self.since is None or host >= self.since
        # A Microsoft tag that is not in the table is newer than the table.
        return False


def _table() -> dict[int, Tag]:
    rows: tuple[tuple[int, str, str, Build | None], ...] = (
        (MOUNT_POINT, "MOUNT_POINT", "junction or mounted volume", WINDOWS_2000),
        (0xC0000004, "HSM", "hierarchical storage", WINDOWS_2000),
        (0x80000005, "DRIVE_EXTENDER", "Home Server drive extender", SERVER_2003),
        (0x80000006, "HSM2", "hierarchical storage", SERVER_2003),
        (0x80000007, "SIS", "single instance store", WINDOWS_2000),
        (WIM, "WIM", "WIM mount filter", SERVER_2008_R2),
        (0x80000009, "CSV", "cluster shared volume", SERVER_2008_R2),
        (0x8000000A, "DFS", "distributed file system", SERVER_2003),
        (0x8000000B, "FILTER_MANAGER", "filter manager test", None),
        (SYMLINK, "SYMLINK", "symbolic link", VISTA),
        (0xA0000010, "IIS_CACHE", "IIS cache", None),
        (0x80000012, "DFSR", "distributed file system replication", SERVER_2008),
        (DEDUP, "DEDUP", "deduplicated file", SERVER_2012),
        (0xC0000014, "APPXSTRM", "unused", SERVER_2012),
        (NFS, "NFS", "NFS server's special file", SERVER_2012),
        (FILE_PLACEHOLDER, "FILE_PLACEHOLDER", "old OneDrive placeholder", SERVER_2012_R2),
        (0x80000016, "DFM", "dynamic file filter", SERVER_2012_R2),
        (WOF, "WOF", "compressed or WIM-backed file", SERVER_2012_R2),
        (WCI, "WCI", "container layer", SERVER_2016),
        (WCI_1, "WCI_1", "container layer", WINDOWS_10_1709),
        (GLOBAL_REPARSE, "GLOBAL_REPARSE", "named-pipe link of a silo", SERVER_2016),
        (APPEXECLINK, "APPEXECLINK", "Store application alias", WINDOWS_10_1709),
        (PROJFS, "PROJFS", "projected file", SERVER_2019),
        (LX_SYMLINK, "LX_SYMLINK", "WSL symbolic link", WINDOWS_10_1709),
        (STORAGE_SYNC, "STORAGE_SYNC", "Azure File Sync", WINDOWS_10_1709),
        (STORAGE_SYNC_FOLDER, "STORAGE_SYNC_FOLDER", "Azure File Sync folder", WINDOWS_10_1709),
        (WCI_TOMBSTONE, "WCI_TOMBSTONE", "file deleted in a container", WINDOWS_10_1709),
        (UNHANDLED, "UNHANDLED", "tag that a container does not handle", WINDOWS_10_1709),
        (ONEDRIVE, "ONEDRIVE", "unused", WINDOWS_10_1709),
        (PROJFS_TOMBSTONE, "PROJFS_TOMBSTONE", "deleted projected file", SERVER_2019),
        (AF_UNIX, "AF_UNIX", "Unix socket", WINDOWS_10_1803),
        (LX_FIFO, "LX_FIFO", "WSL named pipe", WINDOWS_10_1803),
        (LX_CHR, "LX_CHR", "WSL character device", WINDOWS_10_1803),
        (LX_BLK, "LX_BLK", "WSL block device", WINDOWS_10_1803),
        (WCI_LINK, "WCI_LINK", "container link", SERVER_2019),
        (WCI_LINK_1, "WCI_LINK_1", "container link", SERVER_2019),
        (0xA0000028, "DATALESS_CIM", "file in a CimFS image", WINDOWS_10_2004),
    )
    table = {row[0]: Tag(*row) for row in rows}
    for value in sorted(CLOUD_TAGS):
        variant = value >> 12 & 0xF
        name = f"CLOUD_{variant:X}" if variant else "CLOUD"
        table[value] = Tag(value, name, "cloud file (OneDrive and others)", WINDOWS_10_1709)
    return table


TAGS: dict[int, Tag] = _table()
"""Microsoft's tags by value."""

# Tags that third parties registered with Microsoft, code by code; the surrogates among them carry
# bit 29. Every one of them is a filter driver's, so no Windows knows any by itself.
_REGISTERED = """
09 IFSTEST_CONGRUENT|0A MOONWALK_HSM|0B TSINGHUA_UNIVERSITY_RESEARCH|0C ARKIVIO|0D SOLUTIONSOFT
0E COMMVAULT|0F OVERTONE|10 SYMANTEC_HSM2|11 ENIGMA_HSM|12 SYMANTEC_HSM|13 INTERCOPE_HSM
14 KOM_NETWORKS_HSM|15 MEMORY_TECH_HSM|16 BRIDGEHEAD_HSM|17 OSR_SAMPLE|18 GLOBAL360_HSM
19 ALTIRIS_HSM|1A HERMES_HSM|1B POINTSOFT_HSM|1C GRAU_DATASTORAGE_HSM|1D COMMVAULT_HSM
1E DATASTOR_SIS|1F EDSI_HSM|20 HP_HSM|21 SER_HSM|22 DOUBLE_TAKE_HSM|23 WISDATA_HSM|24 MIMOSA_HSM
25 HSAG_HSM|26 ADA_HSM|27 AUTN_HSM|28 NEXSAN_HSM|29 DOUBLE_TAKE_SIS|2A SONY_HSM|2B ELTAN_HSM
2C UTIXO_HSM|2D QUEST_HSM|2E DATAGLOBAL_HSM|2F QI_TECH_HSM|30 DATAFIRST_HSM|31 C2CSYSTEMS_HSM
32 WATERFORD|33 RIVERBED_HSM|34 CARINGO_HSM|35 MAXISCALE_HSM|36 CITRIX_PM|37 OPENAFS_DFS
38 ZLTI_HSM|39 EMC_HSM|3A VMWARE_PM|3B ARCO_BACKUP|3C CARROLL_HSM|3D COMTRADE_HSM|3E EASEVAULT_HSM
3F HDS_HSM|40 MAGINATICS_RDR|41 GOOGLE_HSM|42 QUADDRA_HSM|43 HP_BACKUP|44 DROPBOX_HSM|45 ADOBE_HSM
46 HP_DATA_PROTECT|47 ACTIVISION_HSM|48 HDS_HCP_HSM|49 AURISTOR_FS|4A ITSTATION|4B SPHARSOFT
4C ALERTBOOT|4D MTALOS|4E CTERA_HSM|4F NIPPON_HSM|50 REDSTOR_HSM|51 NEUSHIELD|52 DOR_HSM
53 SHX_BACKUP|54 NVIDIA_UNIONFS|55 HUBSTOR_HSM|56 IMANAGE_HSM|57 EASEFILTER_HSM
"""
_SURROGATES = frozenset((0x0D, 0x17, 0x2F, 0x35, 0x4C, 0x54, 0x56))


def _third_parties() -> dict[int, str]:
    names = {0x60 + number: f"ACRONIS_HSM_{number:X}" for number in range(16)}
    for row in _REGISTERED.replace("|", "\n").split("\n"):
        if row:
            code, _, name = row.partition(" ")
            value = int(code, 16)
            names[value | NAME_SURROGATE if value in _SURROGATES else value] = name
    return names


THIRD_PARTY_NAMES: dict[int, str] = _third_parties()
"""Names of the tags that third parties registered with Microsoft, by value."""


def tag_of(value: int) -> Tag:
    """Give the tag with this value; one that nobody listed is named after its number."""
    known = TAGS.get(value)
    if known is not None:
        return known
    if value & MICROSOFT:
        return Tag(value, f"MICROSOFT_{value:08X}", "unknown tag of Microsoft's")
    name = THIRD_PARTY_NAMES.get(value)
    if name is None:
        return Tag(value, f"THIRD_PARTY_{value:08X}", "unknown tag of a third party")
    return Tag(value, name, "tag of a third party's filter driver")


def tag_named(name: str) -> Tag | None:
    """Find a listed tag by name, with or without IO_REPARSE_TAG_, or by a hexadecimal number."""
    wanted = name.strip().upper().removeprefix("IO_REPARSE_TAG_")
    for tag in TAGS.values():
        if tag.name == wanted:
            return tag
    for value, third_party in THIRD_PARTY_NAMES.items():
        if third_party == wanted:
            return tag_of(value)
    digits = wanted.removeprefix("0X")
    if digits and len(digits) <= 8 and all(char in "0123456789ABCDEF" for char in digits):  # noqa: PLR2004
        return tag_of(int(digits, 16))
    return None
