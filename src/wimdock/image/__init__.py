"""The Windows inside an image: version, architecture, hives, packages; and the change set."""
