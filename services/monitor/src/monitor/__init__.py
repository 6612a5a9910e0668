"""Uptime Kuma as code, and what is alarmed."""
