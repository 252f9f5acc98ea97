"""Image packages: files registered with the site, what is in them, and the states they were in.

Its modules are imported one by one: reading image files takes much that listing them does not.
"""
