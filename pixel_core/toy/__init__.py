"""The smallest model that lives in pixels: an MLP of 8 → 16 → 8 that writes one sentence. See docs/toy-model.md."""
