"""`wimdock distribution add`: a place that serves image files."""

from __future__ import annotations

import click

from wimdock.cli.distribution.document import point_content, print_point
from wimdock.cli.options import examples, json_option
from wimdock.cli.output import print_document
from wimdock.cli.site_options import SitePlace, site_options

_EXAMPLES = examples(
    "wimdock distribution add hamburg /srv/deployment/images",
    "wimdock distribution add branch /mnt/branch/images --follow",
    "wimdock distribution add store s3://images/wim --endpoint https://objects.example.org",
    "wimdock distribution add cloud s3://images --region eu-central-1",
)


@click.command(epilog=_EXAMPLES)
@click.argument("name", metavar="NAME")
@click.argument("location", metavar="LOCATION")
@click.option(
    "--endpoint", default="", metavar="URL", help="The server of an object store not Amazon's."
)
@click.option("--region", default="", metavar="REGION", help="The region of an object store.")
@click.option(
    "--follow", is_flag=True, help="Every new state of what lies there is sent by itself."
)
@site_options
@json_option
def add(
    *,
    name: str,
    location: str,
    endpoint: str,
    region: str,
    follow: bool,
    place: SitePlace,
    as_json: bool,
) -> None:
    """Add a distribution point: a folder or an object store.

    LOCATION is a folder of this machine, most often a mount of NFS or SMB, or s3://BUCKET/PREFIX.
    It must be there. A folder is marked with a small file, by which it is known again: the folder
    under a mount that is gone is never taken for it. Credentials of an object store come from the
    environment (AWS_ACCESS_KEY_ID and the others that boto3 knows) and are never kept.
    """
    from wimdock.site.distribution import add_point

    with place.opened() as site:
        point = add_point(site, name, location, endpoint=endpoint, region=region, follow=follow)
    if as_json:
        print_document("distribution_point", {"point": point_content(point), "contents": []})
        return
    print_point(point, "added")
