"""Runs: made, queued, claimed by workers, executed step by step, ended exactly once."""
