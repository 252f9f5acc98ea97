"""`wimdock schedule`: which updates go into which image packages, when and how."""
