"""Durable execution of runs: the port, its DBOS adapter, workers and the service of a site.

`port` says what an engine must do; `dbos` is the one that there is, and the only file that knows
the library. `course` is what an attempt does, `child` how a step is kept apart from its supervisor,
`worker` the loop that claims, watches and takes over, `serve` a worker with the site's other
duties, and `waiting` what `--wait` does.
"""
