"""Tests of one stack that is up, from nothing: the fixture of this folder ends with its last test."""
