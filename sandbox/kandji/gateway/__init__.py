"""What stands before the API: Kong with its limits, faults on demand, and the admin calls."""
