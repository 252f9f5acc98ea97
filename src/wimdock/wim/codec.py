"""Compression of single chunks, by libwim's raw codecs through ctypes.

This is the one file that holds foreign handles. The calls release the interpreter lock, so that
several threads use several cores; a handle belongs to one thread at a time.
Why ctypes and not cffi: `docs/decisions/0002-ctypes-for-libwim.md`.
"""

from __future__ import annotations

import ctypes
import threading
from functools import cache

from wimdock.errors import MalformedImage, MissingLibrary, UnsupportedImage

SONAME = "libwim.so.15"
_INSTALL = "Install it: apt-get install libwim15 (libwim15t64 on newer systems)."
_TYPES = {"xpress": 1, "lzx": 2, "lzms": 3}

# libwim's own scale: 20 is quick, 50 is its default, 100 is slow. Chosen by scripts/bench.
LEVELS = {"xpress": 40, "lzx": 20, "lzms": 20}


@cache
def _library() -> ctypes.CDLL:
    try:
        library = ctypes.CDLL(SONAME)
    except OSError as error:
        message = f"{SONAME} (wimlib) is not installed"
        raise MissingLibrary(message, hint=_INSTALL) from error
    size, pointer = ctypes.c_size_t, ctypes.c_void_p
    library.wimlib_create_decompressor.argtypes = (ctypes.c_int, size, ctypes.POINTER(pointer))
    library.wimlib_decompress.argtypes = (pointer, size, pointer, size, pointer)
    library.wimlib_free_decompressor.argtypes = (pointer,)
    library.wimlib_create_compressor.argtypes = (
        ctypes.c_int,
        size,
        ctypes.c_uint,
        ctypes.POINTER(pointer),
    )
    library.wimlib_compress.argtypes = (pointer, size, pointer, size, pointer)
    library.wimlib_compress.restype = size
    library.wimlib_free_compressor.argtypes = (pointer,)
    return library


# A writer holds several chunks for each thread: more than this is not what images are made with.
LARGEST_WRITTEN_CHUNK = 64 << 20


class Decompressor:
    """Turns stored chunks back into original bytes."""

    def __init__(self, compression: str, chunk_size: int) -> None:
        """Make a handle for one thread; UnsupportedImage where libwim takes no such chunks."""
        self._handle = ctypes.c_void_p()
        self._library = _library()
        if self._library.wimlib_create_decompressor(
            _TYPES[compression], chunk_size, ctypes.byref(self._handle)
        ):
            message = f"{compression} with chunks of {chunk_size} bytes cannot be read"
            raise UnsupportedImage(message, hint="Export the image with LZX or XPRESS.")

    def __del__(self) -> None:
        """Give the handle back."""
        if self._handle.value:
            self._library.wimlib_free_decompressor(self._handle)

    def decompress_into(self, data: bytes, target: bytearray, offset: int, size: int) -> None:
        """Write the `size` original bytes of one chunk at `offset` of `target`."""
        if not 0 < len(data) < size:
            # No writer stores such a chunk compressed, and libwim's LZMS writes outside of tiny
            # targets where it is handed one.
            message = f"a compressed chunk of {len(data)} bytes claims {size}"
            raise MalformedImage(message)
        array = (ctypes.c_char * size).from_buffer(target, offset)
        if self._library.wimlib_decompress(data, len(data), array, size, self._handle):
            message = "a compressed chunk cannot be decompressed"
            raise MalformedImage(message)


class Compressor:
    """Turns original bytes into stored chunks."""

    def __init__(self, compression: str, chunk_size: int) -> None:
        """Make a handle for one thread; chunks too large to hold several of are refused."""
        self._handle = ctypes.c_void_p()
        if chunk_size > LARGEST_WRITTEN_CHUNK:
            message = f"files with chunks of {chunk_size} bytes can only be read"
            raise UnsupportedImage(message, hint="Export the image with smaller chunks first.")
        self._library = _library()
        self._room = ctypes.create_string_buffer(chunk_size)
        if self._library.wimlib_create_compressor(
            _TYPES[compression], chunk_size, LEVELS[compression], ctypes.byref(self._handle)
        ):
            message = f"{compression} with chunks of {chunk_size} bytes cannot be written"
            raise UnsupportedImage(message, hint="Export the image with LZX or XPRESS.")

    def __del__(self) -> None:
        """Give the handle back."""
        if self._handle.value:
            self._library.wimlib_free_compressor(self._handle)

    def compress(self, data: bytes) -> bytes:
        """Give the chunk as it is stored: compressed where that is shorter, else as it is."""
        size = len(data)
        used = self._library.wimlib_compress(data, size, self._room, size - 1, self._handle)
        return ctypes.string_at(self._room, used) if used else data


class Codec:
    """The codec of one file: hands every thread a handle of its own."""

    def __init__(self, compression: str, chunk_size: int) -> None:
        """Remember what the header says; nothing is loaded before it is needed."""
        self.compression = compression
        self.chunk_size = chunk_size
        self._local = threading.local()

    def decompressor(self) -> Decompressor:
        """Give this thread's decompressor."""
        handle: Decompressor | None = getattr(self._local, "decompressor", None)
        if handle is None:
            handle = self._local.decompressor = Decompressor(self.compression, self.chunk_size)
        return handle

    def compressor(self) -> Compressor:
        """Give this thread's compressor."""
        handle: Compressor | None = getattr(self._local, "compressor", None)
        if handle is None:
            handle = self._local.compressor = Compressor(self.compression, self.chunk_size)
        return handle
