"""What is told: a log line per result, a sentence for people, and the report."""
