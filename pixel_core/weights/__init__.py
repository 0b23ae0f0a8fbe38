"""Models as files: GGUF and PXI, their tensors as ggml's blocks, as float32 and as texels."""
