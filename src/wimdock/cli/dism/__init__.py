"""DISM's own syntax: `wimdock dism /Verb /Option:value`, mapped to the rooms that exist.

`verbs` is the table of what is known and what is served, `syntax` the pure parser, `drives` finds
Windows paths on this machine, `layout` and `progress` print as DISM does, `log` writes the DISM.log
of a run, `session` ties them together. The verbs are carried out one module for each group of them.
"""
