"""The asset sync: it plans first, three-way and both ways; what it does to the services it does through cards."""
