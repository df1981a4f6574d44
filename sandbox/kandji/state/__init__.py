"""What changes: devices as they are now, commands, notes, blueprints; tokens, limits, faults and the request log."""
