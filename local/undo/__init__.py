"""From logs and reports of runs to what they stopped and nobody has started since."""
