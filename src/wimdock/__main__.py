"""Lets `python -m wimdock` do what `wimdock` does."""

from __future__ import annotations

from wimdock.cli.main import main

if __name__ == "__main__":
    main()
