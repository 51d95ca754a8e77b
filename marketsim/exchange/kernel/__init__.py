"""Compiled code of the exchange: one book in ``layout`` to ``batch``; whole exchanges in ``heap`` and ``engine``."""
