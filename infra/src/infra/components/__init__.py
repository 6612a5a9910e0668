"""The parts of production. Arguments by keyword, resources as attributes; a logical name never comes from a setting."""
