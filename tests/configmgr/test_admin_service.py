"""A site is read as it is, however it pages, and whoever it asks to show who they are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from tests.configmgr.site_server import Reply, SiteServer, image_information, provider_location
from wimdock.configmgr import admin_service
from wimdock.configmgr.authentication import Bearer, Negotiated, Secret
from wimdock.configmgr.provider import Provider
from wimdock.configmgr.site import Site
from wimdock.errors import AccessDenied, AdminServiceError, UnexpectedAnswer, UsageError
from wimdock.events import Event, Kind, Reporter
from wimdock.reparse.hosts import SERVER_2012_R2, SERVER_2016, SERVER_2019, Build

USER, WORD = "CONTOSO\\auditor", "correct horse"
NOBODY = Negotiated()


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca(authority: trustme.CA, tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


@pytest.fixture
def server(authority: trustme.CA) -> Iterator[SiteServer]:
    with SiteServer(authority=authority) as running:
        yield running


@pytest.fixture
def users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "users"
    path.write_text(f"CONTOSO:auditor:{WORD}\n", encoding="utf-8")
    monkeypatch.setenv("NTLM_USER_FILE", str(path))


def read(server: SiteServer, ca: Path, credentials: Bearer | Negotiated = NOBODY) -> Site:
    return admin_service.read_site(server.url, credentials, ca=ca, timeout=5)


def test_a_site(server: SiteServer, ca: Path) -> None:
    events: list[Event] = []
    site = admin_service.read_site(server.url, NOBODY, ca=ca, report=Reporter(events.append))
    assert site.providers == (
        Provider("CM01.contoso.com", SERVER_2012_R2, "CAS", "the site, SMS_R_System.Build"),
        Provider("CM02.contoso.com", SERVER_2019, "CAS", "the site, SMS_R_System.BuildExt"),
    )
    golden, kiosk = site.image_packages
    assert (golden.package_id, golden.source_path) == ("CAS00123", r"\\cm01\src\golden.wim")
    assert kiosk.name == "Kiosk"
    assert [(image.package_id, image.index) for image in site.images] == [
        ("CAS00123", 1),
        ("CAS00123", 2),
        ("CAS00124", 1),
    ]
    first, _ = site.images_of("CAS00123")
    assert (first.build, first.architecture) == (Build(10, 0, 19045), "x64")
    assert (first.size, first.package_type) == (15032385536, 257)
    assert [event.kind for event in events] == [Kind.STEP_STARTED, Kind.STEP_ENDED]
    assert events[1].text == "providers: 2, image packages: 2, images: 3"


@pytest.mark.parametrize("page", [1, 2, 3])
def test_pages_are_joined(page: int, server: SiteServer, ca: Path) -> None:
    whole = read(server, ca)
    server.page = page
    assert read(server, ca) == whole
    assert any("$skiptoken=" in path for path in server.paths)


def test_a_relative_link_to_the_next_page(server: SiteServer, ca: Path) -> None:
    def relative(path: str) -> Reply:
        status, headers, body = server.reply(path)
        return status, headers, body.replace(f"{server.url}/wmi/".encode(), b"")

    whole = read(server, ca)
    server.page, server.override = 1, relative
    assert read(server, ca) == whole


def test_everything_goes_over_one_connection_and_asks_for_no_more_than_it_needs(
    server: SiteServer, ca: Path
) -> None:
    read(server, ca)
    assert {path.partition("?")[0] for path in server.paths} == {
        "/AdminService/wmi/SMS_ProviderLocation",
        "/AdminService/wmi/SMS_R_System",
        "/AdminService/wmi/SMS_ImagePackage",
        "/AdminService/wmi/SMS_ImageInformation",
    }
    assert all(authorization == "" for _, authorization in server.asked)
    assert server.connections == 1


@pytest.mark.parametrize(
    "systems, inventory, build",
    [
        ([], [], None),
        ([{"Name": "CM01"}], [], None),
        ([{"Name": "CM01", "Build": None, "BuildExt": ""}], [], None),
        ([{"Name": "cm01", "BuildExt": "10.0.14393.5717"}], [], SERVER_2016),
        (
            [{"Name": "CM01", "OperatingSystemNameandVersion": "Microsoft Windows NT Server 6.3"}],
            [],
            SERVER_2012_R2,
        ),
        (
            [
                {
                    "Name": "CM01",
                    "OperatingSystemNameandVersion": "Microsoft Windows NT Advanced Server 10.0",
                }
            ],
            [],
            SERVER_2016,
        ),
        (
            [
                {
                    "Name": "CM01",
                    "ResourceID": 7,
                    "OperatingSystemNameandVersion": "Microsoft Windows NT Advanced Server 10.0",
                }
            ],
            [{"ResourceID": 7, "Version": "10.0.17763", "BuildNumber": "17763"}],
            SERVER_2019,
        ),
        (
            [
                {
                    "Name": "CM01",
                    "OperatingSystemNameandVersion": "Microsoft Windows NT Workstation 10.0",
                }
            ],
            [],
            None,
        ),
        (
            [
                {"Name": "CM01", "Build": "6.3.9600", "Obsolete": 1},
                {"Name": "CM01", "Build": "10.0.17763", "Obsolete": 0},
            ],
            [],
            SERVER_2019,
        ),
        (
            [
                {"Name": "CM01", "Build": "10.0.17763"},
                {"Name": "CM01", "Build": "6.3.9600"},
            ],
            [],
            SERVER_2012_R2,
        ),
        (
            [
                {"Name": "CM01", "Build": "6.3.9600", "ResourceNames": ["cm01.other.net"]},
                {"Name": "CM01", "Build": "10.0.17763", "ResourceNames": ["CM01.contoso.com"]},
            ],
            [],
            SERVER_2019,
        ),
    ],
)
def test_the_windows_of_a_provider(
    systems: list[dict[str, object]],
    inventory: list[dict[str, object]],
    build: Build | None,
    server: SiteServer,
    ca: Path,
) -> None:
    server.classes["SMS_ProviderLocation"] = [provider_location("CM01.contoso.com")]
    server.classes["SMS_R_System"] = systems
    server.classes["SMS_G_System_OPERATING_SYSTEM"] = inventory
    (provider,) = read(server, ca).providers
    assert provider.build == build


def test_a_server_is_named_once_and_quotes_in_names_stay_in_the_text(
    server: SiteServer, ca: Path
) -> None:
    name = "O'BRIEN' or 1 eq 1"
    server.classes["SMS_ProviderLocation"] = [
        provider_location(name),
        provider_location(name.lower(), "P01"),
    ]
    (provider,) = read(server, ca).providers
    assert (provider.name, provider.build, provider.site) == (name, None, "CAS")


def test_an_index_that_the_site_leaves_out(server: SiteServer, ca: Path) -> None:
    server.classes["SMS_ImageInformation"] = [
        image_information("CAS00123", None),
        image_information("CAS00123", 0),
        image_information("CAS00124", None, Size="17", Name=None, OSVersion=None),
    ]
    site = read(server, ca)
    assert [(image.package_id, image.index) for image in site.images] == [
        ("CAS00123", None),
        ("CAS00123", None),
        ("CAS00124", 1),
    ]
    assert (site.images[2].size, site.images[2].name, site.images[2].build) == (17, "", None)


def test_a_site_that_names_no_provider_hides_them(server: SiteServer, ca: Path) -> None:
    server.classes["SMS_ProviderLocation"] = []
    with pytest.raises(AccessDenied, match="names no SMS Provider to this account"):
        read(server, ca)


def test_a_bearer_token(server: SiteServer, ca: Path) -> None:
    server.token = "eyJ0eXAi.abc-_~+/=="  # noqa: S105 - no secret
    assert len(read(server, ca, Bearer(Secret(server.token))).providers) == 2
    with pytest.raises(AccessDenied, match="does not accept the credentials") as caught:
        read(server, ca, Bearer(Secret("stale-token")))
    assert "stale-token" not in str(caught.value) + caught.value.hint + repr(caught.value)


@pytest.mark.parametrize("scheme", ["NTLM", "Negotiate"])
@pytest.mark.parametrize("bind_channel", [False, True])
@pytest.mark.usefixtures("users")
def test_negotiated_credentials(
    scheme: str,
    bind_channel: bool,  # noqa: FBT001 - a parameter of the test
    server: SiteServer,
    ca: Path,
) -> None:
    server.scheme, server.bind_channel = scheme, bind_channel
    site = read(server, ca, Negotiated(USER, Secret(WORD)))
    assert len(site.images) == 3
    assert server.asked[0][1] == ""
    assert server.asked[1][1].startswith(f"{scheme} ")
    # The connection stays authenticated: nothing is negotiated twice.
    assert [header for _, header in server.asked[3:] if header] == []


@pytest.mark.usefixtures("users")
def test_answers_are_bound_to_the_certificate_that_was_seen(server: SiteServer, ca: Path) -> None:
    server.scheme, server.bind_channel = "Negotiate", True
    server.binding = b"tls-server-end-point:" + bytes(32)  # somebody between with his own
    with pytest.raises(AccessDenied):
        read(server, ca, Negotiated(USER, Secret(WORD)))


@pytest.mark.usefixtures("users")
@pytest.mark.parametrize("scheme", ["NTLM", "Negotiate"])
def test_a_wrong_password(scheme: str, server: SiteServer, ca: Path) -> None:
    server.scheme = scheme
    with pytest.raises(AccessDenied, match="does not accept the credentials") as caught:
        read(server, ca, Negotiated(USER, Secret("wrong horse")))
    assert "horse" not in str(caught.value) + caught.value.hint
    assert len(server.asked) < 10


@pytest.mark.parametrize("scheme", ["NTLM", "Negotiate"])
def test_no_credentials_at_all(
    scheme: str, server: SiteServer, ca: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KRB5CCNAME", str(tmp_path / "none"))
    monkeypatch.delenv("NTLM_USER_FILE", raising=False)
    server.scheme = scheme
    with pytest.raises(AccessDenied, match="there is no Kerberos ticket") as caught:
        read(server, ca)
    assert "WIMDOCK_ADMINSERVICE_TOKEN" in caught.value.hint


@pytest.mark.parametrize("challenge", ['Basic realm="x"', "Digest", "", "Negotiat\u00e9"])
def test_a_password_is_never_sent_in_the_clear(
    challenge: str, server: SiteServer, ca: Path
) -> None:
    server.override = lambda _: (401, {"WWW-Authenticate": challenge}, b"")
    with pytest.raises(AccessDenied, match="not for Negotiate or NTLM"):
        read(server, ca, Negotiated(USER, Secret(WORD)))
    assert [header for _, header in server.asked] == [""]


@pytest.mark.parametrize(
    "challenge", ["Negotiate ????", "NTLM AAAA", "Negotiate " + "A" * 4096, "NTLM"]
)
def test_a_challenge_that_is_none(challenge: str, server: SiteServer, ca: Path) -> None:
    server.override = lambda _: (401, {"WWW-Authenticate": challenge}, b"")
    with pytest.raises(AccessDenied):
        read(server, ca, Negotiated(USER, Secret(WORD)))
    assert len(server.asked) < 10


@pytest.mark.parametrize(
    "path", ["", "/", "/AdminService", "/AdminService/", "/adminservice", "/AdminService/wmi"]
)
def test_addresses_that_mean_the_same(path: str, server: SiteServer, ca: Path) -> None:
    server.override = lambda asked: server.reply(asked.replace("/adminservice/", "/AdminService/"))
    site = admin_service.read_site(f"https://localhost:{server.port}{path}", NOBODY, ca=ca)
    assert site.url.lower() == server.url.lower()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "cm01",
        "http://cm01/AdminService",
        "ftp://cm01/AdminService",
        "https://",
        "https:///AdminService",
        "https://cm01:99999/AdminService",
        "https://cm01:0/AdminService",
        "https://cm01/elsewhere",
        "https://cm01/../AdminService",
        "https://cm01/AdminService?x=1",
        "https://cm01/AdminService#x",
        "https://user:hunter2@cm01/AdminService",
        "https://hunter2@cm01/AdminService",
        "https://user:hunter2@[::1/AdminService",
        "https://user:a/hunter2@cm01/AdminService",
        "https://user:a#hunter2@cm01/AdminService",
        "user:hunter2@cm01/AdminService",
        "http://cm01/AdminService?code=hunter2",
        "https://[::1/AdminService",
        "https://cm01/\nAdminService",
        "https://cm 01/AdminService",
    ],
)
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        admin_service.read_site(url, NOBODY)
    assert "hunter2" not in str(caught.value) + caught.value.hint


@pytest.mark.parametrize(
    "name, row",
    [
        ("SMS_ProviderLocation", {"Machine": None}),
        ("SMS_ProviderLocation", {"Machine": 5}),
        ("SMS_ProviderLocation", {"Machine": "x" * 5000}),
        ("SMS_ProviderLocation", {"Machine": "CM\ud800", "SiteCode": "CAS"}),
        ("SMS_ProviderLocation", {"Machine": "CM01"}),
        ("SMS_ImagePackage", {"Name": "no ID"}),
        ("SMS_ImageInformation", {"PackageID": "CAS00123", "Index": "one"}),
        ("SMS_ImageInformation", {"PackageID": "CAS00123", "Size": -1}),
        ("SMS_ImageInformation", {"PackageID": "CAS00123", "Size": True}),
        ("SMS_ImageInformation", {"PackageID": ["CAS00123"]}),
    ],
)
def test_rows_of_another_kind(
    name: str, row: dict[str, object], server: SiteServer, ca: Path
) -> None:
    server.classes[name] = [row]
    with pytest.raises(UnexpectedAnswer, match="of a row is no"):
        read(server, ca)
    assert issubclass(UnexpectedAnswer, AdminServiceError)
