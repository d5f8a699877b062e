"""Mails and printed letters, rendered by jobs from what the tables hold at that moment."""
