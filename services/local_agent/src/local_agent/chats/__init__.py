"""WhatsApp on the owner's machine: what is said stays in its private folder unless the owner shares it."""
