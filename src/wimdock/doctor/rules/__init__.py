"""The known failures, one TOML file each, and what reads them."""

from wimdock.doctor.heads import FOLDER, RuleHead, load_heads
from wimdock.doctor.rules.loader import load_rules, read_rule

__all__ = ["FOLDER", "RuleHead", "load_heads", "load_rules", "read_rule"]
