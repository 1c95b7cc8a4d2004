"""A deterministic simulation: whole runs of the function in virtual time, each from one seed."""
