"""What is done: requests become a plan, its targets are stopped and watched, or dispatched in shards."""
