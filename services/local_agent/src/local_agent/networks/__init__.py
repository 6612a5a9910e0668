"""The social networks behind one small Protocol, one network a module. Nothing in here decides to publish."""
