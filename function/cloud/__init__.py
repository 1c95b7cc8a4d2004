"""The adapters: ECS, STS and FC over the official SDK, the machine's clock and threads."""
