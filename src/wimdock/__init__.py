"""wimdock services Windows images (WIM files) offline, on Linux, without mounting them."""

__version__ = "0.1.0"
