"""What is done: requests become a plan, its instances are stopped and watched, or dispatched in shards."""
