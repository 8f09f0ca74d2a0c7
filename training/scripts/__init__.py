"""Training material and training of `heliograph/perception/scripts.onnx`, which names the script of a line of text."""
