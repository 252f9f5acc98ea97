"""`wimdock user`: who may work with a site."""
