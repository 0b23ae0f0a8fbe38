"""A model as a map to look at: its planes where they lie, drawn in tiles of any scale, and figures of its tensors."""
