"""What Cloud does by the clock: the owner's notes below Schedules/ become tasks when they are due."""
