"""A value of a registry key, as read."""

from __future__ import annotations

from dataclasses import dataclass

from wimdock.errors import RegistryError
from wimdock.registry.value_type import ValueType

_STRINGS = (ValueType.REG_SZ, ValueType.REG_EXPAND_SZ, ValueType.REG_LINK)
_NUMBER_SIZES = {
    ValueType.REG_DWORD: 4,
    ValueType.REG_DWORD_BIG_ENDIAN: 4,
    ValueType.REG_QWORD: 8,
}


@dataclass(frozen=True, slots=True)
class Value:
    """A value: `name` is "" for the default one, `type` any 32-bit number (see ValueType)."""

    name: str
    type: int
    data: bytes

    def text(self) -> str:
        """Give the string of a REG_SZ, REG_EXPAND_SZ or REG_LINK, up to its first NUL.

        What is no valid UTF-16 is replaced. Raises RegistryError for another type.
        """
        if self.type not in _STRINGS:
            wanted = "a string"
            raise self._refusal(wanted)
        # A link is not ended by a NUL, and none can occur in it.
        return self._decoded().split("\0", 1)[0]

    def texts(self) -> tuple[str, ...]:
        """Give the strings of a REG_MULTI_SZ, or the one of another string type.

        Raises RegistryError for another type.
        """
        if self.type in _STRINGS:
            return (self.text(),)
        if self.type != ValueType.REG_MULTI_SZ:
            wanted = "a list of strings"
            raise self._refusal(wanted)
        texts = self._decoded().split("\0")
        return tuple(texts[: texts.index("")] if "" in texts else texts)

    def number(self) -> int:
        """Give the number of a REG_DWORD or REG_QWORD; raise RegistryError for anything else."""
        for type_, size in _NUMBER_SIZES.items():
            if self.type == type_ and len(self.data) == size:
                big = type_ == ValueType.REG_DWORD_BIG_ENDIAN
                return int.from_bytes(self.data, "big" if big else "little")
        wanted = "a number"
        raise self._refusal(wanted)

    def _decoded(self) -> str:
        return self.data[: len(self.data) & ~1].decode("utf-16-le", "replace")

    def _refusal(self, wanted: str) -> RegistryError:
        known = {int(type_): type_.name for type_ in ValueType}
        name = known.get(self.type, f"type 0x{self.type:X}")
        return RegistryError(
            f"the registry value {self.name or '(default)'!r} is not {wanted}: "
            f"{name}, {len(self.data)} bytes",
        )
