"""The test lab: volumes, images and packages made and read by other people's tools.

Nothing here uses wimdock's own readers or writers, so that what it says about them is independent.
See docs/internals/lab.md.
"""
