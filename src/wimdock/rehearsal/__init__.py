"""What Configuration Manager would do with an image on a given provider, played on a copy.

`wimdock.rehearsal.rehearsal.rehearse` plays a run, `options` says what is asked, `report` what
became of it.
"""
