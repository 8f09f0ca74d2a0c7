"""Measuring: how often values are right, where they say they are, and as sure as they say."""
