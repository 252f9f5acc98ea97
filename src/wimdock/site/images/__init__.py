"""Image packages: files registered with the site, what is in them, and the states they were in."""
