"""Tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

MOMENT = sa.DateTime().with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    """Make what is new."""
    op.create_table(
        "audit",
        sa.Column("id", KEY, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("operator", sa.String(), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("object", sa.String(), nullable=False),
        sa.Column("detail", DOCUMENT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_audit_at", "audit", ["at"], unique=False)
    op.create_table(
        "distribution_points",
        sa.Column("id", KEY, nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("location", sa.String(), nullable=False),
        sa.Column("endpoint", sa.String(), nullable=False),
        sa.Column("options", DOCUMENT, nullable=False),
        sa.Column("follow", sa.Boolean(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("added_at", MOMENT, nullable=False),
        sa.Column("down_since", MOMENT, nullable=True),
        sa.Column("retry_at", MOMENT, nullable=True),
        sa.Column("sent", sa.BigInteger(), nullable=False),
        sa.Column("error", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("location", "endpoint"),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "history",
        sa.Column("id", KEY, nullable=False),
        sa.Column("package_id", sa.String(length=8), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("action", sa.String(length=32), nullable=False),
        sa.Column("result", sa.String(length=32), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=True),
        sa.Column("run_id", sa.BigInteger(), nullable=True),
        sa.Column("operator", sa.String(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("updates", DOCUMENT, nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_history_package_at", "history", ["package_id", "at"], unique=False)
    op.create_index("ix_history_run", "history", ["run_id"], unique=False)
    op.create_table(
        "image_packages",
        sa.Column("id", sa.String(length=8), nullable=False),
        sa.Column("type", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("storage", sa.String(length=64), nullable=False),
        sa.Column("path", sa.String(), nullable=True),
        sa.Column("header", sa.String(length=416), nullable=False),
        sa.Column("length", sa.BigInteger(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=True),
        sa.Column("content_version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("preflight", DOCUMENT, nullable=False),
        sa.Column("added_at", MOMENT, nullable=False),
        sa.Column("read_at", MOMENT, nullable=False),
        sa.Column("removed_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("storage", "path"),
    )
    op.create_table(
        "notifications",
        sa.Column("id", KEY, nullable=False),
        sa.Column("target", sa.String(length=64), nullable=False),
        sa.Column("event", sa.String(length=32), nullable=False),
        sa.Column("body", DOCUMENT, nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=True),
        sa.Column("attempt_of_run", sa.Integer(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_try_at", MOMENT, nullable=False),
        sa.Column("sent_at", MOMENT, nullable=True),
        sa.Column("error", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_notifications_due", "notifications", ["state", "next_try_at"], unique=False)
    op.create_index("ix_notifications_run", "notifications", ["run_id"], unique=False)
    op.create_table(
        "providers",
        sa.Column("id", KEY, nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("build", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("added_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "schedules",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("recurrence", DOCUMENT, nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("window", DOCUMENT, nullable=False),
        sa.Column("selection", DOCUMENT, nullable=False),
        sa.Column("options", DOCUMENT, nullable=False),
        sa.Column("queue", sa.String(length=64), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("next_due", MOMENT, nullable=True),
        sa.Column("last_due", MOMENT, nullable=True),
        sa.Column("sms_action", sa.Integer(), nullable=False),
        sa.Column("sms_state", sa.Integer(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("removed_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_schedules_due", "schedules", ["next_due"], unique=False)
    op.create_table(
        "site",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=3), nullable=False),
        sa.Column("uuid", sa.String(length=36), nullable=False),
        sa.Column("folder", sa.String(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("next_package", sa.Integer(), nullable=False),
        sa.Column("next_schedule", sa.Integer(), nullable=False),
        sa.Column("next_update", sa.Integer(), nullable=False),
        sa.Column("last_tick", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "status_messages",
        sa.Column("id", KEY, nullable=False),
        sa.Column("message_id", sa.Integer(), nullable=False),
        sa.Column("severity", sa.String(length=32), nullable=False),
        sa.Column("component", sa.String(length=64), nullable=False),
        sa.Column("machine", sa.String(length=255), nullable=False),
        sa.Column("site_code", sa.String(length=3), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("tid", sa.BigInteger(), nullable=False),
        sa.Column("strings", DOCUMENT, nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=True),
        sa.Column("schedule_id", sa.Integer(), nullable=True),
        sa.Column("package_id", sa.String(length=8), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_status_messages_at", "status_messages", ["at"], unique=False)
    op.create_index("ix_status_messages_package", "status_messages", ["package_id"], unique=False)
    op.create_index("ix_status_messages_run", "status_messages", ["run_id"], unique=False)
    op.create_index("ix_status_messages_schedule", "status_messages", ["schedule_id"], unique=False)
    op.create_table(
        "updates",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("file_name", sa.String(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("identity", sa.String(), nullable=False),
        sa.Column("family", sa.String(), nullable=False),
        sa.Column("kb", sa.String(length=16), nullable=False),
        sa.Column("architecture", sa.String(length=16), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("language", sa.String(length=32), nullable=False),
        sa.Column("classification", sa.String(length=64), nullable=False),
        sa.Column("stack", sa.Boolean(), nullable=False),
        sa.Column("targets", DOCUMENT, nullable=False),
        sa.Column("roots", DOCUMENT, nullable=False),
        sa.Column("packages", DOCUMENT, nullable=False),
        sa.Column("catalogued", sa.Boolean(), nullable=False),
        sa.Column("verified", sa.Integer(), nullable=False),
        sa.Column("signer", sa.String(), nullable=False),
        sa.Column("unsupported", DOCUMENT, nullable=False),
        sa.Column("released_at", MOMENT, nullable=True),
        sa.Column("imported_at", MOMENT, nullable=False),
        sa.Column("imported_by", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("retired_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("sha256"),
    )
    op.create_index(op.f("ix_updates_family"), "updates", ["family"], unique=False)
    op.create_index(op.f("ix_updates_identity"), "updates", ["identity"], unique=False)
    op.create_index(op.f("ix_updates_kb"), "updates", ["kb"], unique=False)
    op.create_table(
        "users",
        sa.Column("id", KEY, nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("mail", sa.String(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("disabled_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "watched_files",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("modified", sa.BigInteger(), nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_table(
        "workers",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("boot", sa.String(length=64), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("version", sa.String(length=32), nullable=False),
        sa.Column("queues", DOCUMENT, nullable=False),
        sa.Column("architectures", DOCUMENT, nullable=False),
        sa.Column("storages", DOCUMENT, nullable=False),
        sa.Column("memory", sa.BigInteger(), nullable=False),
        sa.Column("concurrency", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("heartbeat_at", MOMENT, nullable=False),
        sa.Column("lease_seconds", sa.Double(), nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "distributed_contents",
        sa.Column("point_id", KEY, nullable=False),
        sa.Column("package_id", sa.String(length=8), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("content_version", sa.Integer(), nullable=True),
        sa.Column("wanted_version", sa.Integer(), nullable=False),
        sa.Column("header", sa.String(length=416), nullable=False),
        sa.Column("length", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("tag", sa.String(), nullable=False),
        sa.Column("transfer", DOCUMENT, nullable=False),
        sa.Column("holder", sa.String(length=255), nullable=False),
        sa.Column("held_until", MOMENT, nullable=True),
        sa.Column("sent", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("retry_at", MOMENT, nullable=True),
        sa.Column("verified_at", MOMENT, nullable=True),
        sa.Column("error", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["package_id"], ["image_packages.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["point_id"], ["distribution_points.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("point_id", "package_id"),
    )
    op.create_table(
        "generations",
        sa.Column("package_id", sa.String(length=8), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=12), nullable=False),
        sa.Column("length", sa.BigInteger(), nullable=False),
        sa.Column("added", sa.BigInteger(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["package_id"], ["image_packages.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("package_id", "number"),
    )
    op.create_table(
        "images",
        sa.Column("package_id", sa.String(length=8), nullable=False),
        sa.Column("index", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("edition", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("architecture", sa.String(length=16), nullable=False),
        sa.Column("languages", DOCUMENT, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("packages", DOCUMENT, nullable=False),
        sa.Column("reparse", DOCUMENT, nullable=False),
        sa.Column("unreadable", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["package_id"], ["image_packages.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("package_id", "index"),
    )
    op.create_table(
        "leases",
        sa.Column("package_id", sa.String(length=8), nullable=False),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=True),
        sa.Column("worker_id", sa.String(length=64), nullable=True),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("acquired_at", MOMENT, nullable=True),
        sa.Column("expires_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["package_id"], ["image_packages.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("package_id"),
    )
    op.create_table(
        "occurrences",
        sa.Column("schedule_id", sa.Integer(), nullable=False),
        sa.Column("instant", MOMENT, nullable=False),
        sa.Column("outcome", sa.String(length=32), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["schedule_id"], ["schedules.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("schedule_id", "instant"),
    )
    op.create_table(
        "runs",
        sa.Column("id", KEY, nullable=False),
        sa.Column("schedule_id", sa.Integer(), nullable=True),
        sa.Column("package_id", sa.String(length=8), nullable=False),
        sa.Column("instant", MOMENT, nullable=True),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("queue", sa.String(length=64), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("indexes", DOCUMENT, nullable=False),
        sa.Column("update_ids", DOCUMENT, nullable=False),
        sa.Column("options", DOCUMENT, nullable=False),
        sa.Column("storage", sa.String(length=64), nullable=False),
        sa.Column("architecture", sa.String(length=16), nullable=False),
        sa.Column("memory", sa.BigInteger(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("not_before", MOMENT, nullable=True),
        sa.Column("begin_before", MOMENT, nullable=True),
        sa.Column("orphaned_at", MOMENT, nullable=True),
        sa.Column("worker_id", sa.String(length=64), nullable=True),
        sa.Column("step", sa.String(length=32), nullable=True),
        sa.Column("cancel_requested_at", MOMENT, nullable=True),
        sa.Column("cancelled_by", sa.String(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("started_at", MOMENT, nullable=True),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("error", DOCUMENT, nullable=False),
        sa.Column("generation", sa.Integer(), nullable=True),
        sa.Column("added", sa.BigInteger(), nullable=False),
        sa.Column("retry_of", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["package_id"], ["image_packages.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("schedule_id", "instant", "package_id"),
    )
    op.create_index("ix_runs_package", "runs", ["package_id", "id"], unique=False)
    op.create_index(
        "ix_runs_waiting", "runs", ["state", sa.literal_column("priority DESC"), "id"], unique=False
    )
    op.create_index("ix_runs_worker", "runs", ["worker_id"], unique=False)
    op.create_table(
        "schedule_targets",
        sa.Column("schedule_id", sa.Integer(), nullable=False),
        sa.Column("package_id", sa.String(length=8), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("indexes", DOCUMENT, nullable=False),
        sa.ForeignKeyConstraint(["package_id"], ["image_packages.id"]),
        sa.ForeignKeyConstraint(["schedule_id"], ["schedules.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("schedule_id", "package_id"),
    )
    op.create_table(
        "schedule_updates",
        sa.Column("schedule_id", sa.Integer(), nullable=False),
        sa.Column("update_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["schedule_id"], ["schedules.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["update_id"], ["updates.id"]),
        sa.PrimaryKeyConstraint("schedule_id", "update_id"),
    )
    op.create_table(
        "tokens",
        sa.Column("id", KEY, nullable=False),
        sa.Column("user_id", KEY, nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=True),
        sa.Column("last_used_at", MOMENT, nullable=True),
        sa.Column("revoked_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("sha256"),
    )
    op.create_table(
        "run_events",
        sa.Column("id", KEY, nullable=False),
        sa.Column("run_id", KEY, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("step", DOCUMENT, nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("severity", sa.String(length=16), nullable=False),
        sa.Column("done", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("unit", sa.String(length=16), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_run_events_run", "run_events", ["run_id", "id"], unique=False)
    op.create_table(
        "steps",
        sa.Column("run_id", KEY, nullable=False),
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("token", sa.String(length=255), nullable=False),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("result", DOCUMENT, nullable=False),
        sa.Column("error", DOCUMENT, nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "name"),
    )
    op.create_table(
        "update_results",
        sa.Column("run_id", KEY, nullable=False),
        sa.Column("index", sa.Integer(), nullable=False),
        sa.Column("update_id", sa.Integer(), nullable=False),
        sa.Column("package", sa.String(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("win32", sa.BigInteger(), nullable=True),
        sa.Column("hresult", sa.BigInteger(), nullable=True),
        sa.Column("added", sa.BigInteger(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "index", "update_id"),
    )


def downgrade() -> None:
    """Take it away again."""
    op.drop_table("update_results")
    op.drop_table("steps")
    op.drop_table("run_events")
    op.drop_table("tokens")
    op.drop_table("schedule_updates")
    op.drop_table("schedule_targets")
    op.drop_table("runs")
    op.drop_table("occurrences")
    op.drop_table("leases")
    op.drop_table("images")
    op.drop_table("generations")
    op.drop_table("distributed_contents")
    op.drop_table("workers")
    op.drop_table("watched_files")
    op.drop_table("users")
    op.drop_table("updates")
    op.drop_table("status_messages")
    op.drop_table("site")
    op.drop_table("schedules")
    op.drop_table("providers")
    op.drop_table("notifications")
    op.drop_table("image_packages")
    op.drop_table("history")
    op.drop_table("distribution_points")
    op.drop_table("audit")
