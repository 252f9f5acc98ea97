"""reparse."""
