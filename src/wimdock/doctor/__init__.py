"""The doctor: logs and codes in, diagnosis out."""
