"""What alembic runs: the revisions, in the transaction of the connection that it was given."""

from __future__ import annotations

from alembic import context

from wimdock.site.models import Base
from wimdock.site.schema import VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    version_table=VERSION_TABLE,
    transactional_ddl=True,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
