"""The update library: importing updates, judging them by what is stored, choosing among them."""
