"""The approvals page: the owner's decisions in a browser, on this machine or on a phone they paired."""
