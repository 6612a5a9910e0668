"""Snapshots of what cannot be made again, checks that find a flipped byte, and drills that prove a restore."""
