"""`wimdock distribution`: image packages at the places that serve them to machines."""
