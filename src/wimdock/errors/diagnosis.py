"""Errors of the doctor, and of asking a Configuration Manager site."""

from __future__ import annotations

from wimdock.errors.base import WimdockError


class LogError(WimdockError):
    """A log cannot be read."""

    exit_code = 60
    hresult = 0x8007000D
    default_hint = "Name a log in text form, such as OfflineServicingMgr.log, dism.log or CBS.log."


class RuleError(WimdockError):
    """A file that describes a failure is not as it must be."""

    exit_code = 61
    hresult = 0x8007000D
    default_hint = "docs/internals/rules.md says what such a file holds."


class AdminServiceError(WimdockError):
    """A Configuration Manager site cannot be asked through its AdminService."""

    exit_code = 64
    hresult = 0x80072EFF
    default_hint = "Give the providers yourself: --provider NAME=BUILD or --providers FILE."


class ServiceUnreachable(AdminServiceError):
    """There is no such host, it refused the connection, or it did not answer in time."""

    exit_code = 65
    hresult = 0x80072EFD
    default_hint = "Check the host name, port 443 and the firewall between here and the provider."


class UntrustedCertificate(AdminServiceError):
    """The certificate of the AdminService is not to be trusted; nothing was sent to it."""

    exit_code = 66
    hresult = 0x80072F0D
    default_hint = "Give the certificate of the authority that issued it: --ca FILE."


class AccessDenied(AdminServiceError):
    """The AdminService wants credentials, got wrong ones, or the account may not read."""

    exit_code = 67
    hresult = 0x80070005
    default_hint = "The account needs the role Read-only Analyst, or more, at the site."


class UnexpectedAnswer(AdminServiceError):
    """What answered does not speak as an AdminService does."""

    exit_code = 68
    hresult = 0x8007000D
    default_hint = "Check the address: https://PROVIDER/AdminService."
