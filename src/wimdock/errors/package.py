"""Errors of update packages."""

from __future__ import annotations

from wimdock.errors.base import WimdockError


class DeltaError(WimdockError):
    """A PA30 delta or a DCM manifest cannot be applied."""

    exit_code = 30
    hresult = 0x8007000D


class UnsupportedDelta(DeltaError):
    """A delta of a kind that is not supported, such as one with a PE transform."""

    exit_code = 31
    hresult = 0x80070032


class MissingDictionary(DeltaError):
    """A compressed manifest needs the base dictionary and none was found."""

    exit_code = 32
    hresult = 0x80070002
    default_hint = (
        "Give --manifest-dictionary FILE (or WIMDOCK_MANIFEST_DICTIONARY), or service an image "
        "that has a servicing stack with wcp.dll."
    )


class PackageError(WimdockError):
    """An update package cannot be used."""

    exit_code = 40
    hresult = 0x800F0805


class MalformedPackage(PackageError):
    """A broken or hostile cabinet, XML file or catalog."""

    exit_code = 41
    hresult = 0x800F0805
    default_hint = "Download the update again."


class CorruptPackage(PackageError):
    """A file of the package does not have the hash recorded for it."""

    exit_code = 42
    hresult = 0x80092003
    default_hint = "Download the update again."


class UnsupportedPackage(PackageError):
    """The package holds elements that wimdock does not carry out.

    `reasons` lists every one of them.
    """

    exit_code = 43
    hresult = 0x80070032
    default_hint = "Service this update with DISM on a Windows host; nothing was touched."


class UnsignedPackage(PackageError):
    """No catalog covers the package and unsigned packages were not allowed."""

    exit_code = 44
    hresult = 0x800B0100
    default_hint = "If you made the package yourself, give --allow-unsigned."


class NotApplicable(PackageError):
    """The package is not for this image, is superseded, or is installed already."""

    exit_code = 45
    hresult = 0x800F081E
