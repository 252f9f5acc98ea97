"""How the tables of a site came to be: alembic's revisions, in `versions`, one file each.

They run over a connection that `wimdock.site.schema` gives them; there is no alembic.ini.
"""
