"""Bytes become documents and images: sniffing, opening, rendering, geometry, limits, safe fetching."""
