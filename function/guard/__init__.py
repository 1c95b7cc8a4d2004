"""The guard, pure decisions: whether an event may stop anything, and which instance may be stopped."""
