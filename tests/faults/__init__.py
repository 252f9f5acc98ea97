"""Faults at every place where something is written: stops, full disks, lost writes, kills."""
