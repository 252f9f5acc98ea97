"""What makes an image a Windows that component servicing knows: two hives."""

from __future__ import annotations

from wimdock.errors import RegistryError
from wimdock.image.change_set import HiveName
from wimdock.image.windows import WindowsImage

_NEEDED = (HiveName.SOFTWARE, HiveName.COMPONENTS)


def lacking_hive(image: WindowsImage) -> RegistryError | None:
    """Give the error for an image that has not both hives; None for one that can be serviced."""
    for name in _NEEDED:
        if image.lookup(name.path) is None:
            message = f"image {image.index} is no Windows: it has no {name.path}"
            hint = "Only a whole Windows image can be serviced: choose others with --index."
            return RegistryError(message, hint=hint, hresult=0x80070002)
    return None
