"""What models may cost: caps by day and task, a durable record of what was spent, and what is done past a cap."""
