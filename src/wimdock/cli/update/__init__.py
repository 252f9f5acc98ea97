"""`wimdock update`: the update library of a site."""
