"""What StopCharging saved, from the function's logs."""
