"""Plans made and carried out, and what must be true of every one that ends well."""

from __future__ import annotations

from tests.faults.disk import CountingDisk
from tests.servicing.cleanup.staging_sample import Sample
from wimdock.errors import (
    WimdockError,
)
from wimdock.files import Disk
from wimdock.servicing.cleanup import (
    CleanupPlan,
    FolderResult,
    clean_up,
    find_staging,
    plan_cleanup,
)
from wimdock.servicing.options import surroundings


def plan_for(sample: Sample) -> CleanupPlan:
    return plan_cleanup(find_staging([sample.staging]))


def cleaned(plan: CleanupPlan, disk: Disk | None = None) -> FolderResult:
    """Carry a plan of one folder out; give what became of it."""
    (result,) = clean_up(plan, surroundings(disk=disk or CountingDisk(quick=True))).folders
    return result


def refused(sample: Sample, plan: CleanupPlan | None = None) -> WimdockError:
    """Clean up what must be refused as a whole, with nothing touched; give the reason."""
    before = sorted(sample.drive.rglob("*"))
    result = cleaned(plan or plan_for(sample))
    assert sorted(sample.drive.rglob("*")) == before
    assert result.proof is None
    assert not result.unmounted
    assert (result.tally.files, result.tally.folders) == (0, 0)
    return result.errors[0]


def finished(sample: Sample) -> FolderResult:
    """Clean up what must succeed; give the result."""
    result = cleaned(plan_for(sample))
    assert result.errors == []
    assert result.proof is not None
    assert result.proof.is_gone
    assert result.proof.allows_a_run
    assert not sample.staging.exists()
    assert sample.untouched()
    return result
