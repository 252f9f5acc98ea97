"""Update packages: opening and verifying them, judging them, planning what they change."""
