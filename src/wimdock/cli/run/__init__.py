"""`wimdock run`: the runs of a site."""
