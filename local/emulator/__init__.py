"""The local cloud: ECS with its fleet and faults, STS, FC, and the page that shows them."""
