"""`wimdock image`: the image packages of a site."""
