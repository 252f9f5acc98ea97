"""Schedules: which updates go into which image packages, when, how often, in which window."""
