"""The tests of wimdock; they mirror the rooms of the source."""
