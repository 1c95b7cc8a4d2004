"""What everything speaks of: requests, instances, scopes, outcomes, errors, and the ports to the outside."""
