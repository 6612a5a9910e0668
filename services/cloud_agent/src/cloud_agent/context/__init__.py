"""What is known of whoever wrote, each line with its source; and what a draft may not say of somebody else."""
