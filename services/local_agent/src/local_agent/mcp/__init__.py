"""MCP servers, one for each kind of action. Each verifies the owner's approval itself, whoever its client is."""
