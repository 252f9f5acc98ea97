"""An update package of our own, for the demo: one program, one registry key, one service.

The cabinet is written by cabarchive. No catalog covers it, since only its maker could sign one: it
is serviced with --allow-unsigned.
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from xml.sax.saxutils import quoteattr

from wimdock.cbs.identity import Identity
from wimdock.files import storage_error
from wimdock.servicing.demo_image import PARENT, VERSION

PROGRAM = r"\Program Files\Wimdock Demo\hello.exe"
_CONTENT = b"MZ" + b"wimdock demo: this is no program, only the bytes of one.\r\n" * 500

_ASM3 = "urn:schemas-microsoft-com:asm.v3"
_HEAD = f'<?xml version="1.0" encoding="utf-8"?>\n<assembly xmlns="{_ASM3}" manifestVersion="1.0">'
_FILE_SDDL = "O:BAG:BAD:P(A;;FA;;;BA)(A;;FA;;;SY)(A;;GRGX;;;BU)"


def demo_identity(kind: str) -> Identity:
    """Give the identity of the demo's "Package", "Deployment" or "Tool"."""
    parent = Identity.parse_id(PARENT)
    scope = "" if kind == "Package" else "nonSxS"
    return Identity(
        name=f"Wimdock-Demo-{kind}",
        version=parent.version,
        arch=parent.arch,
        language="neutral",
        token=parent.token,
        version_scope=scope,
    )


def _element(identity: Identity) -> str:
    attributes = {
        "name": identity.name,
        "version": VERSION,
        "processorArchitecture": identity.arch,
        "language": "neutral",
        "buildType": "release",
        "publicKeyToken": identity.token,
    }
    if identity.version_scope:
        attributes["versionScope"] = identity.version_scope
    text = " ".join(f"{name}={quoteattr(value)}" for name, value in attributes.items())
    return f"<assemblyIdentity {text} />"


def _assembly(*parts: str) -> bytes:
    return "\n".join((_HEAD, *parts, "</assembly>")).encode("utf-8")


def _package_manifest() -> bytes:
    return _assembly(
        _element(demo_identity("Package")),
        '<package identifier="KB0000001" releaseType="Feature Pack">',
        '<parent buildCompare="GE" revisionCompare="GE" disposition="detect">'
        f"{_element(Identity.parse_id(PARENT))}</parent>",
        '<update name="demo">',
        f"<component>{_element(demo_identity('Deployment'))}</component>",
        "</update>",
        "</package>",
    )


def _deployment_manifest() -> bytes:
    return _assembly(
        _element(demo_identity("Deployment")),
        "<deployment />",
        '<dependency discoverable="no"><dependentAssembly dependencyType="install">'
        f"{_element(demo_identity('Tool'))}</dependentAssembly></dependency>",
    )


def _component_manifest() -> bytes:
    digest = base64.b64encode(hashlib.sha256(_CONTENT).digest()).decode("ascii")
    signature = "http://www.w3.org/2000/09/xmldsig#"
    return _assembly(
        _element(demo_identity("Tool")),
        r'<file name="hello.exe" destinationPath="$(runtime.programFiles)\Wimdock Demo\"'
        ' sourceName="hello.exe" sourcePath=".\\">'
        '<securityDescriptor name="WRP_FILE_DEFAULT_SDDL" />'
        f'<asmv2:hash xmlns:asmv2="urn:schemas-microsoft-com:asm.v2" xmlns:dsig="{signature}">'
        '<dsig:Transforms><dsig:Transform Algorithm="urn:schemas-microsoft-com:HashTransforms'
        '.Identity" /></dsig:Transforms>'
        f'<dsig:DigestMethod Algorithm="{signature}sha256" />'
        f"<dsig:DigestValue>{digest}</dsig:DigestValue></asmv2:hash></file>",
        "<memberships><categoryMembership>"
        '<id name="Microsoft.Windows.Categories.Services" version="10.0.19041.1"'
        ' publicKeyToken="0123456789abcdef" typeName="Service" />'
        '<categoryInstance subcategory="WimdockDemo"><serviceData name="WimdockDemo"'
        ' displayName="Wimdock Demo" errorControl="normal" start="demand" type="win32OwnProcess"'
        r' imagePath="%ProgramFiles%\Wimdock Demo\hello.exe" objectName="LocalSystem" />'
        "</categoryInstance></categoryMembership></memberships>",
        r'<registryKeys><registryKey keyName="HKEY_LOCAL_MACHINE\SOFTWARE\Wimdock Demo">'
        '<registryValue name="Serviced" valueType="REG_DWORD" value="0x00000001" />'
        "</registryKey></registryKeys>",
        "<trustInfo><security><accessControl><securityDescriptorDefinitions>"
        f'<securityDescriptorDefinition name="WRP_FILE_DEFAULT_SDDL" sddl="{_FILE_SDDL}" />'
        "</securityDescriptorDefinitions></accessControl></security></trustInfo>",
    )


def write_demo_package(path: Path) -> None:
    """Write the cabinet."""
    from cabarchive import CabArchive, CabFile

    tool = demo_identity("Tool").key_form
    files = {
        "update.mum": _package_manifest(),
        f"{demo_identity('Deployment').key_form}.manifest": _deployment_manifest(),
        f"{tool}.manifest": _component_manifest(),
        f"{tool}\\hello.exe": _CONTENT,
    }
    cabinet = CabArchive()
    for name, content in files.items():
        cabinet[name] = CabFile(content)
    try:
        path.write_bytes(cabinet.save(compress=True))
    except OSError as error:
        raise storage_error(error, path) from error
