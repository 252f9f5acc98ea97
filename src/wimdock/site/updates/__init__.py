"""The update library: importing updates, judging them by what is stored, choosing among them.

Its modules are imported one by one: reading update packages takes much that listing them does
not.
"""
