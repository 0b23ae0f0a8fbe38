"""The verbs of `pixel-lsp fs`, one module each."""
