"""The engine of pixel-lsp, usable as a library. Knows no LSP, no LLM service and no money."""

__version__ = "0.1.0"
