"""Component manifests written by hand, and the edits that they lead to."""

from __future__ import annotations

from wimdock.cbs.component_manifest import ComponentManifest
from wimdock.cbs.component_reader import parse_component
from wimdock.image.change_set import RegistryEdit, SetValue


def component(inside: str, name: str = "Lab", version: str = "1.0.0.0") -> ComponentManifest:
    """Give a component's manifest with the elements that stand in `inside`."""
    text = f"""<?xml version="1.0" encoding="utf-8"?>
    <assembly xmlns="urn:schemas-microsoft-com:asm.v3" manifestVersion="1.0">
      <assemblyIdentity name="{name}" version="{version}" processorArchitecture="amd64"
        language="neutral" publicKeyToken="31bf3856ad364e35" versionScope="nonSxS" />
      {inside}
    </assembly>"""
    return parse_component(text.encode(), name)


def membership(kind: str, instance: str, subcategory: str = "") -> str:
    """Give a categoryMembership element with one instance."""
    return f"""<memberships><categoryMembership>
      <id name="Microsoft.Windows.Categories" version="1.0.0.0"
        publicKeyToken="365143bb27e7ac8b" typeName="{kind}" />
      <categoryInstance subcategory="{subcategory}">{instance}</categoryInstance>
    </categoryMembership></memberships>"""


def values_below(edits: list[RegistryEdit], key: str) -> dict[str, tuple[int, bytes]]:
    """Give type and data of the values that are set in a key, by name."""
    return {
        edit.name: (edit.type, edit.data)
        for edit in edits
        if isinstance(edit, SetValue) and edit.key == key
    }
