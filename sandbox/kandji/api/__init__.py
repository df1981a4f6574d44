"""The Kandji API: one module a part of it, the routes in one table."""
