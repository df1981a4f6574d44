"""Simulated services for trying and testing; they know nothing of the connector and speak HTTP only."""
