"""Heliograph turns documents and images into grounded JSON, on your own machines."""

__version__ = "0.1.0"
