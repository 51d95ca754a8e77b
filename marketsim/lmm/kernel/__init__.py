"""Compiled kernels of the order model: book, tokens, teachers, network. Plain arrays only."""
