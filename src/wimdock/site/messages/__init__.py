"""Status messages, the site's log, and the history of image packages."""

from wimdock.site.messages.history import history_of, remember
from wimdock.site.messages.log import JSON_NAME, LOG_NAME, SiteLog
from wimdock.site.messages.report import report, say
from wimdock.site.messages.table import TABLE, MessageKind, name_of, text_of

__all__ = [
    "JSON_NAME",
    "LOG_NAME",
    "TABLE",
    "MessageKind",
    "SiteLog",
    "history_of",
    "name_of",
    "remember",
    "report",
    "say",
    "text_of",
]
