"""The steps of a run, each durable and idempotent.

`perform` does one of them, in a process of its own that can be stopped at any moment.
"""
