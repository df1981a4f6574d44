"""The two systems of a sync: adapters beside the cards, called as cards are, and the built-in asset file."""
