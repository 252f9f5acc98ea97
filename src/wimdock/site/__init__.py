"""A site: image packages, update library, schedules, runs and what was said of them.

It opens a database for all of these and executes nothing by itself: that is the engine's room.
"""
