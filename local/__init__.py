"""What stands in for the cloud on your own machine: a local ECS, a local FC, the command line."""
