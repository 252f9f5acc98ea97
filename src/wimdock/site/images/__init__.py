"""Image packages: files registered with the site, what is in them, and the states they were in."""

from wimdock.site.images.adding import add_package
from wimdock.site.images.commit_token import commit_token, run_of_token
from wimdock.site.images.details import PackageDetails, details_of
from wimdock.site.images.exporting import Exported, ExportOptions, export_package
from wimdock.site.images.going_back import RolledBack, rollback_package
from wimdock.site.images.listing import ListedImage, ListedPackage, list_packages
from wimdock.site.images.reading import Refreshed, record_commit, refresh, reload_package
from wimdock.site.images.records import file_of, generations_of, package_of
from wimdock.site.images.removing import remove_package
from wimdock.site.images.verdicts import JudgedImage, JudgedPackage, judged_packages

__all__ = [
    "ExportOptions",
    "Exported",
    "JudgedImage",
    "JudgedPackage",
    "ListedImage",
    "ListedPackage",
    "PackageDetails",
    "Refreshed",
    "RolledBack",
    "add_package",
    "commit_token",
    "details_of",
    "export_package",
    "file_of",
    "generations_of",
    "judged_packages",
    "list_packages",
    "package_of",
    "record_commit",
    "refresh",
    "reload_package",
    "remove_package",
    "rollback_package",
    "run_of_token",
]
