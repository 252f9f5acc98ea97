"""Notes beside a finding: what would make it surer, and what to doubt."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath, PureWindowsPath

from wimdock.configmgr.provider import Provider
from wimdock.doctor.bounds import Surroundings
from wimdock.doctor.image_facts import Images
from wimdock.doctor.incident import Incident
from wimdock.doctor.providers import is_server, named_providers, system_of
from wimdock.doctor.rule import Rule

_PROVIDERS = (
    "A site can have several SMS Providers, also on other servers than the site server: check each "
    "one, with --provider NAME=BUILD for each."
)
_SERVER_ITSELF = (
    "These lines name no image: they may be of the server's own updates, and not of an image."
)
_HOSTS_DIFFER = (
    "DISM.logs of several hosts tell of this work at that time: which of them did it is not known. "
    "Give only the log of the host that did it."
)
_PROVIDERS_DIFFER = (
    "No log names the host that did the work, and the providers given differ: each of them may "
    "have done it."
)


@dataclass(frozen=True, slots=True)
class Notes:
    """What is known of an incident, asked for what is worth a note."""

    incident: Incident
    around: Surroundings
    providers: tuple[Provider, ...]
    images: Images | None

    def of(self, rule: Rule) -> list[str]:
        """Give all notes on a failure."""
        notes = [*self._on_server(), *self._on_file()]
        facts = [each for each in rule.evidence if each.is_fact]
        if any(each.bounds.host_before for each in facts):
            notes += self._on_hosts()
        asks_image = any(
            each.bounds.image_reparse or each.bounds.image_before or each.bounds.image_from
            for each in facts
        )
        if asks_image and self.around.image is None:
            if self.images is None:
                notes.append("With --image IMAGE the image itself is looked at as well.")
            else:
                notes.append("The logs do not say which image of the file this is: give --index N.")
        if self.around.image is not None and any(each.bounds.image_reparse for each in facts):
            notes += self._on_points()
        return notes

    def _on_server(self) -> list[str]:
        incident = self.incident
        alone = incident.work is None and not incident.commands and not incident.mount
        return [_SERVER_ITSELF] if alone else []

    def _on_file(self) -> list[str]:
        """Warn where the image given does not look like that of the logs."""
        image, logged = self.around.image, PureWindowsPath(self.incident.image).name
        if image is None or not image.file:
            return []
        notes = []
        if logged and logged.casefold() != PurePath(image.file).name.casefold():
            notes.append(
                f"The logs name the image file {self.incident.image}, and {image.file} was given: "
                "what is said of the image holds only if it is the same."
            )
        if self.incident.index not in (None, image.index):
            notes.append(
                f"The logs name image {self.incident.index}, and image {image.index} of the file "
                "was looked at, as --index says."
            )
        return notes

    def _on_hosts(self) -> list[str]:
        server, notes = system_of(self.incident), []
        if self.incident.host is None and any(each.host for each in self.incident.commands):
            return [_HOSTS_DIFFER]
        if len(self.around.hosts) > 1:
            if not named_providers(self.incident, self.providers) and is_server(server):
                notes.append(
                    f"A status message names the server {server}, which is none of the providers "
                    f"given: give --provider {server.partition('.')[0]}=BUILD as well."
                )
            if len({*self.around.hosts} - {None}) > 1:
                notes.append(_PROVIDERS_DIFFER)
            return notes or [_PROVIDERS]
        host = self.incident.host
        named = named_providers(self.incident, self.providers)
        notes = [
            f"DISM.log names the host {host}, but {each.name} was given as {each.build}: "
            "the log counts here."
            for each in named
            if host is not None and each.build not in (None, host)
        ]
        return [*notes, _PROVIDERS]

    def _on_points(self) -> list[str]:
        image = self.around.image
        if image is None or image.points is None:
            return []
        verdict = image.verdict(self.around.host)
        if verdict is None:
            return []
        where = f"Image {image.index} of the file given"
        if not image.applications:
            return [f"{where} has no reparse points but Windows' own links."]
        if verdict.strong or verdict.weak:
            return [f"{where}: {verdict.reason}"]
        return [f"{where} has reparse points, but none that troubles this host."]
