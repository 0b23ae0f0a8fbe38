"""What executes WGSL."""
