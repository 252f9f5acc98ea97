"""Errors of image files and of what is inside them."""

from __future__ import annotations

from wimdock.errors.base import WimdockError


class ImageError(WimdockError):
    """The image file cannot be used."""

    exit_code = 10
    hresult = 0x8007000D


class NotAnImage(ImageError):
    """The file is no WIM file, or of a version that does not exist."""

    exit_code = 11
    hresult = 0x8007000B
    default_hint = "Name a .wim file."


class UnsupportedImage(ImageError):
    """The file is a kind of WIM that this version of wimdock does not work on."""

    exit_code = 12
    hresult = 0x80070032


class MalformedImage(ImageError):
    """A length, offset, count or structure in the file that cannot be."""

    exit_code = 13
    hresult = 0x8007000D
    default_hint = "The file is damaged: take it from a backup, or capture it anew."


class CorruptImage(ImageError):
    """Data in the file that does not have the hash recorded for it."""

    exit_code = 14
    hresult = 0x80070017
    default_hint = (
        "The file is damaged: take it from a backup; `wimdock verify` lists all findings."
    )


class NoSuchImage(ImageError):
    """The index, or a path in the image, does not exist."""

    exit_code = 15
    hresult = 0x80070002
    default_hint = "`wimdock inspect` lists the images of a file."


class GenerationError(ImageError):
    """There is no such generation, or the file was changed by another program since."""

    exit_code = 16
    hresult = 0x80070490
    default_hint = "`wimdock generations` lists what can be gone back to."


class RegistryError(WimdockError):
    """A registry hive cannot be read or edited as asked."""

    exit_code = 20
    hresult = 0x800703F8


class MalformedHive(RegistryError):
    """A hive with a bad signature, checksum, cell or list."""

    exit_code = 21
    hresult = 0x800703F1
    default_hint = (
        "The hive is damaged: the image needs to be captured anew or repaired in Windows."
    )


class DirtyHive(RegistryError):
    """A hive that was not closed cleanly: its transaction logs were not applied."""

    exit_code = 22
    hresult = 0x800703F9
    default_hint = "Boot the image once or load and unload the hive in Windows, then capture anew."
