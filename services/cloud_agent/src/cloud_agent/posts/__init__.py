"""Posts and answers for social networks: from the owner's calendar and from what Local read, to drafts to approve."""
