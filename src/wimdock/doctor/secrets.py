r"""What in a log names people, machines and their domains, and by what it is replaced.

The same name gets the same word everywhere: `CM01`, `cm01.contoso.local` and `\\CM01\share` all
become `HOST1`. A name is recognised where a form gives it away (a profile's path, a share, `SYS=`,
`DOMAIN\user`, an address, a SID) and is then masked wherever it stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_MOST = 5000
_LEAST_LABEL = 3
_MOST_COLONS = 7
_LONGEST_TEXT = 20_000

_SID = re.compile(r"\bS-1-\d{1,14}(?:-\d{1,10}){3,14}\b", re.IGNORECASE)
_MAIL = re.compile(r"\b([\w.+-]{1,64})@([A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8})\b")
_MAIL_HINT = re.compile(r"@[A-Za-z0-9-]{1,63}\.[A-Za-z]")
_PROFILE = re.compile(
    r"(?:[\\/](?:Users|Documents and Settings|home|Profiles)|\A~)[\\/]+"
    r"([^\\/\"'<>|:*?\r\n\t]{1,104}?)(?=[\\/]|[\"'<>|:*?,;\r\n\t]|\s|$)",
    re.IGNORECASE,
)
_LONG_PROFILE = re.compile(
    r"[\\/](?:Users|Documents and Settings)[\\/]+([^\\/\"'<>|:*?\r\n\t]{1,104})(?=[\\/])",
    re.IGNORECASE,
)
_SHARE = re.compile(
    r"(?:(?<![\w\\/:])(?:\\{2}|//)|\\{2}\?\\UNC\\)([A-Za-z0-9][\w.-]{0,253})(?=[\\/])"
)
_URL = re.compile(r"\b(?:https?|ftp|smb|file)://(?:[^/@\s]{1,128}@)?([A-Za-z0-9][\w.-]{0,253})")
_SYSTEM = re.compile(r"\bSYS=\"?([A-Za-z0-9][\w.-]{0,253})")
_NAMED = re.compile(
    r"\b(?:computer|machine|host|server|workstation|site ?server)[ _]?(?:name)?\s{0,3}[=:]"
    r"\s{0,3}[\"'\[(]?(?:\\\\)?([A-Za-z0-9][\w.-]{1,253})",
    re.IGNORECASE,
)
_QUALIFIED = re.compile(
    r"(?<![\w.@-])([A-Za-z0-9][A-Za-z0-9-]{0,62}(?:\.[A-Za-z0-9][A-Za-z0-9-]{0,62}){0,6}\."
    r"(?:local|lan|corp|internal|intra|intranet|home|test|example|domain"
    r"|[A-Za-z0-9-]{1,63}\.(?:com|net|org|edu|gov|info|biz|[a-z]{2})))(?![\w-]|\.\w)",
    re.IGNORECASE,
)
_QUALIFIED_HINT = re.compile(
    r"\.(?:local|lan|corp|internal|intra|intranet|home|test|example|domain|com|net|org|edu|gov|info"
    r"|biz|[a-z]{2})(?![\w-])"
)
_ACCOUNT = re.compile(
    r"(?<![\w\\/:.$%{-])([A-Z][A-Z0-9-]{0,14})\\([A-Za-z0-9][\w.$-]{0,63})(?![\w\\/-])"
)
_SAID_ACCOUNT = re.compile(
    r"\b(?:user(?:name)?|account|owner|logon|login|credentials?|impersonat\w*|run(?:ning)? as|as"
    r"|by|for)\b[\s:='\"(\[]{1,4}([A-Za-z][\w.-]{0,63})\\([A-Za-z0-9][\w.$-]{0,63})(?![\w\\/-])",
    re.IGNORECASE,
)
_SAID_USER = re.compile(
    r"\b(?:user ?name|logged on user|account ?name|user)\s{0,3}[=:]\s{0,3}['\"]?"
    r"([A-Za-z0-9][\w.$-]{1,63})(?![\w\\@-])",
    re.IGNORECASE,
)
# Numbers of versions look the same: a word before it, or a sign of a package's name, tells them.
_ADDRESS = re.compile(
    r"(?<![\w.~-])(?<!version )(?<!version: )(?<!version=)(?<!build )"
    r"((?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d))(?![\w~-]|\.\w)",
    re.IGNORECASE,
)
_LONG_ADDRESS = re.compile(
    r"(?<![\w:])([23f][0-9a-f]{3}:(?:[0-9a-f]{0,4}:){1,6}[0-9a-f]{1,4})(?![\w:])", re.IGNORECASE
)
_CANCELLED_BY = re.compile(r"\bwas cancelled by ([^\s\"'<>]{1,64}?)\.?(?=\s|\Z)", re.IGNORECASE)
_COMMON_NAME = re.compile(r"\bCN=([^,;\"'\r\n]{1,64})", re.IGNORECASE)
_DOMAIN_PART = re.compile(r"\bDC=([A-Za-z0-9-]{1,63})", re.IGNORECASE)

_NO_USERS = frozenset(
    {
        "public",
        "default",
        "all",
        "default.migrated",
        "system",
        "localservice",
        "networkservice",
        "trustedinstaller",
        "default-user",
        "unknown",
        "null",
        "none",
        "true",
        "false",
    }
)
_NO_USERS_LONG = frozenset({"default user", "all users", "local service", "network service"})
_NO_DOMAINS = frozenset(
    {
        "hklm",
        "hkcu",
        "hku",
        "hkcr",
        "hkey",
        "software",
        "system",
        "sam",
        "security",
        "components",
        "drivers",
        "nt",
        "windows",
        "builtin",
        "dism",
        "cbs",
        "csi",
        "msi",
        "wim",
        "usb",
        "pci",
        "acpi",
        "root",
        "swd",
        "device",
        "harddiskvolume",
        "microsoft",
        "clone",
        "authority",
        "amd64",
        "x86",
        "arm64",
        "sources",
        "winsxs",
    }
)
_FILE_TYPES = re.compile(
    r"\.(?:wim|esd|swm|cab|msu|msi|exe|dll|sys|log|lo_|txt|xml|inf|cat|mum|manifest|mui|cpp|c|h|ini"
    r"|dat|bak|tmp|ps1|vbs|bat|cmd|iso|vhdx?|zip|json|csv|html?|png|etl)\Z",
    re.IGNORECASE,
)
_PUBLIC = re.compile(
    r"(?:\A|\.)(?:microsoft\.com|windows\.com|windowsupdate\.com|windows\.net|msftncsi\.com"
    r"|schemas\.microsoft\.com|w3\.org|wimdock\.invalid)\Z",
    re.IGNORECASE,
)
_ENDINGS = frozenset(
    {
        "local",
        "lan",
        "corp",
        "internal",
        "intra",
        "intranet",
        "home",
        "com",
        "net",
        "org",
        "edu",
        "gov",
        "test",
    }
)


class Secrets:
    """The names learnt so far, each with the word that takes its place."""

    def __init__(self, own_words: Iterable[str] = ()) -> None:
        """Begin with none; `own_words` are words of wimdock's own sentences."""
        self._words: dict[str, str] = {}
        self._counts: dict[str, int] = {}
        self._own = frozenset(word.casefold() for word in own_words)
        self._masks: dict[bool, tuple[int, re.Pattern[str] | None]] = {}

    def learn(self, text: str) -> None:
        """Find the names in a text."""
        for at in range(0, len(text), _LONGEST_TEXT):
            self._learn(text[at : at + _LONGEST_TEXT + 300])

    def _learn(self, text: str) -> None:
        low = text.lower()
        for mail in _MAIL.finditer(text) if _MAIL_HINT.search(text) else ():
            self._keep(mail[0], "MAIL")
            self._user(mail[1])
            self._domain(mail[2])
        for sid in _SID.finditer(text) if "s-1-" in low else ():
            self._keep(sid[0], "SID")
        for host in _hosts(text, low):
            self.host(host)
        for domain, user in _accounts(text, low) if "\\" in text else ():
            self._account(domain, user)
        for name in _users(text, low):
            self._user(name)
        for part in _DOMAIN_PART.finditer(text) if "dc=" in low else ():
            self._label(part[1], self._keep(part[1], "DOMAIN"))

    def host(self, name: str) -> None:
        """Take note of a machine's name, qualified or not."""
        name = name.strip(".-")
        if not name or _PUBLIC.search(name) or _FILE_TYPES.search(name) or name.isdigit():
            return
        first, _, domain = name.partition(".")
        if ":" in name or re.fullmatch(r"[\d.]+", name):  # an address: one name, without parts
            self._keep(name, "HOST")
            return
        word = self._keep(first, "HOST")
        if domain:
            self._words.setdefault(name.casefold(), f"{word}.{self._domain(domain)}")

    def mask(self, text: str, *, sentence: bool = False) -> str:
        """Replace every name learnt; in a `sentence` wimdock's own words are no names."""
        pattern = self._pattern(sentence=sentence)
        if pattern is None:
            return text
        return pattern.sub(lambda found: self._words[found[0].casefold()], text)

    def _pattern(self, *, sentence: bool) -> re.Pattern[str] | None:
        size, pattern = self._masks.get(sentence, (-1, None))
        if size != len(self._words):
            names = [name for name in self._words if not (sentence and name in self._own)]
            names.sort(key=len, reverse=True)
            pattern = (
                re.compile(
                    rf"(?<![^\W_])(?:{'|'.join(map(re.escape, names))})(?![^\W_])", re.IGNORECASE
                )
                if names
                else None
            )
            self._masks[sentence] = (len(self._words), pattern)
        return pattern

    def _keep(self, name: str, kind: str) -> str:
        key = name.casefold()
        word = self._words.get(key)
        if word is None:
            number = self._counts.get(kind, 0) + 1
            if number > _MOST:
                return f"{kind}{number}"
            self._counts[kind] = number
            word = self._words[key] = f"{kind}{number}"
        return word

    def _user(self, name: str) -> None:
        folded = name.casefold()
        if not name or folded in _NO_USERS or folded in _NO_USERS_LONG:
            return
        if name.endswith("$"):
            self.host(name[:-1])
            return
        self._keep(name, "USER")

    def _account(self, domain: str, user: str) -> None:
        if domain.casefold() in _NO_DOMAINS or _FILE_TYPES.search(user):
            return
        self._keep(domain, "DOMAIN")
        self._user(user)

    def _domain(self, domain: str) -> str:
        word = self._keep(domain, "DOMAIN")
        for label in domain.split(".")[:-1]:
            self._label(label, word)
        return word

    def _label(self, label: str, word: str) -> None:
        """Mask a part of a domain that says whose it is: CONTOSO of contoso.local."""
        folded = label.casefold()
        if len(label) >= _LEAST_LABEL and folded not in _ENDINGS and folded not in self._own:
            self._words.setdefault(folded, word)


# Most lines of a long log hold no name: a look for a word costs a hundredth of a search.
_HOST_HINTS = (
    (_SYSTEM, ("sys=",)),
    (_SHARE, ("\\\\", "//")),
    (_URL, ("://",)),
    (_NAMED, ("computer", "machine", "host", "server", "workstation")),
)
_USER_HINTS = (
    (_LONG_PROFILE, ("users", "documents and settings")),
    (_PROFILE, ("users", "documents and settings", "home", "profiles")),
    (_SAID_USER, ("user", "account")),
    (_COMMON_NAME, ("cn=",)),
    (_CANCELLED_BY, ("was cancelled by",)),
)
_ACCOUNT_HINTS = (
    *("user", "account", "owner", "logon", "login", "credential", "impersonat"),
    *(" as ", " by ", " for ", "as:", "by:", "for:"),
)


def _hosts(text: str, low: str) -> Iterator[str]:
    for pattern, hints in _HOST_HINTS:
        if any(hint in low for hint in hints):
            yield from (found[1] for found in pattern.finditer(text))
    yield from (found[1] for found in _ADDRESS.finditer(text))
    if ":" in text and ("fe80:" in low or "::" in low or text.count(":") >= _MOST_COLONS):
        yield from (found[1] for found in _LONG_ADDRESS.finditer(text))
    if _QUALIFIED_HINT.search(low):
        yield from (found[1] for found in _QUALIFIED.finditer(text))


def _accounts(text: str, low: str) -> Iterator[tuple[str, str]]:
    for found in _ACCOUNT.finditer(text):
        yield found[1], found[2]
    if any(hint in low for hint in _ACCOUNT_HINTS):
        for found in _SAID_ACCOUNT.finditer(text):
            yield found[1], found[2]


def _users(text: str, low: str) -> Iterator[str]:
    for pattern, hints in _USER_HINTS:
        if any(hint in low for hint in hints):
            yield from (found[1].strip() for found in pattern.finditer(text))
