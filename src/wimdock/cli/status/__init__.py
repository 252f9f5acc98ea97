"""`wimdock status`: the status messages of a site."""
