"""Tasks in, accepted patches out. Knows no LSP and no wgpu. Empty until the coach lands."""
