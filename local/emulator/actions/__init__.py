"""The actions of the local ECS: each checks its parameters as ECS does, reads or changes, and answers."""
