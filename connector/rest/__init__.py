"""The HTTP surface: routes, the body reader, authentication and problem documents. No rules of cards live here."""
