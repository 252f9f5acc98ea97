"""`wimdock notification`: who is told how runs end."""
