"""What is known of Configuration Manager: package IDs, staging folders, providers, messages."""

from wimdock.configmgr.provider import Provider, parse_provider, read_providers
from wimdock.configmgr.staging import is_package_id, mount_directory, staging_place, unmount_command
from wimdock.configmgr.status_message import (
    StatusMessage,
    format_status_message,
    parse_status_message,
)

__all__ = [
    "Provider",
    "StatusMessage",
    "format_status_message",
    "is_package_id",
    "mount_directory",
    "parse_provider",
    "parse_status_message",
    "read_providers",
    "staging_place",
    "unmount_command",
]
