"""Contracts and their proof: from a shader with a promise to a verdict."""
