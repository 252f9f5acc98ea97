"""The revisions, in their order: 0001 makes every table. What was released is never edited."""
