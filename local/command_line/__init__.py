"""The command line `stop-guard`."""
