"""Dialects: what WGSL is made of where a file is not plain WGSL, with a map from every character back to where it was written."""
