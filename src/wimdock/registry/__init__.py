"""Registry hives: read and edited in place, without Windows and without its libraries."""

from wimdock.registry.hive import Hive
from wimdock.registry.key import Key
from wimdock.registry.value import Value
from wimdock.registry.value_type import (
    ValueType,
    encode_dword,
    encode_qword,
    encode_string,
    encode_strings,
)

__all__ = [
    "Hive",
    "Key",
    "Value",
    "ValueType",
    "encode_dword",
    "encode_qword",
    "encode_string",
    "encode_strings",
]
