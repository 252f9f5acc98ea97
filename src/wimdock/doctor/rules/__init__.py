"""The known failures, one TOML file each, and what reads them."""

from wimdock.doctor.rules.loader import FOLDER, load_heads, load_rules, read_rule

__all__ = ["FOLDER", "load_heads", "load_rules", "read_rule"]
