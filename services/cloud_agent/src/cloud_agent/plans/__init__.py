"""Tasks of several steps: what the owner wishes, the plan of it, and the loop that works it."""
