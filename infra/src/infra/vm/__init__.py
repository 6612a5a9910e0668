"""What runs on the VM itself: the standard library alone, one archive that cloud-init carries there."""
