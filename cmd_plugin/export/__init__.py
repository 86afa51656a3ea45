"""Networks for other runtimes: their parts as ONNX."""
