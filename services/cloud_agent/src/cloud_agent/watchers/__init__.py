"""What Cloud listens to. Watchers hand over everything at least once; who takes it recognises repeats."""
