"""`wimdock site`: making a site, looking at it, backing it up and restoring it."""
