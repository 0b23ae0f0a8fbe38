"""What pixel-lsp answers over HTTP, on the loopback interface alone."""
