"""Tiny models, and llama.cpp as the peer of what computes them."""
