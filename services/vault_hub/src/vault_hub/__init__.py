"""The hub: one process that owns the bare repository and decides which commit is its head."""
