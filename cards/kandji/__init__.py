"""Kandji (now Iru): Apple device management. One module a card; `_client` and `_shapes` are what they share."""
