"""What the host costs: measured against bare programs that do the same work, in one run on one machine."""
