"""Logs of servicing, read in every form they come in, and written as Windows writes them."""

from wimdock.doctor.logs.families import LogFile, LogFiles, find_logs
from wimdock.doctor.logs.parts import Form, Severity
from wimdock.doctor.logs.reading import read_logs
from wimdock.doctor.logs.record import Record

__all__ = ["Form", "LogFile", "LogFiles", "Record", "Severity", "find_logs", "read_logs"]
