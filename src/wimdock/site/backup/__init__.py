"""Backups of a site: everything it knows in one file, for either kind of database.

`layout` says what is in the file, `archive` writes and reads it, `rows` turns rows into lines and
back, `creation` makes a backup while the site is in use, `restoration` makes a site of one, and
`standstill` is what a restored site has to know: nothing of it is under way.
"""
