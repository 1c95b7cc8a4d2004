"""What is told: a log line per result, a summary for people, and the report."""
