"""What is deployed to Function Compute, and nothing else."""
