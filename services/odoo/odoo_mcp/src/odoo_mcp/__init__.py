"""The books as an MCP server, for Cloud: reads and drafts. Nothing in this package, or below it, posts or pays."""
