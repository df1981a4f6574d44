"""Assetbots: asset tracking. Written from its published API description; not tried on a live workspace yet."""
