"""Run one call: connections, the store, the runner, streams and their delivery. Knows no service and no face."""
