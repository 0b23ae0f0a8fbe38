"""Bytes as pixels: images of 16-byte texels, a plane of tiles without edges, and files that lie on it.

`tile_store` is the file: an append-only log of hashed records with atomic commits (docs/formats/infinite-map.md). `infinite_map` reads
and writes rectangles of it as numpy arrays, `pixelfs` keeps files in it by path. Neither knows the other.
"""
