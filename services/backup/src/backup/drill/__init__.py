"""Restore drills: the newest snapshots brought up on a stand of their own, and proved by what they hold."""
