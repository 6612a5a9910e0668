"""The demo's stand-ins for the outside world: the owner's mail provider and everybody else's server."""
