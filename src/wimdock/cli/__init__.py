"""The command line: one file per command, and the frame that they stand in.

`main` finds and runs a command and turns whatever it raises into words and an exit status;
`failure` describes errors, `output` prints results, `terminal` shows progress, `options` holds the
options that commands share.
"""
