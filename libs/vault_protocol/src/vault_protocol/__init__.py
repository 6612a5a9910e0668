"""What both agents share: the vault, its tasks and moves, approvals, and the hub. See docs/protocol.md."""
