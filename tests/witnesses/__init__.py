"""Heavy witnesses: what wimdock wrote, judged by other people's programs.

`scripts/check --witnesses` runs them. See docs/internals/lab.md.
"""
