"""What is kept of syncs in the one store: runs with their lines, links, what was agreed, locks, the outbox."""
