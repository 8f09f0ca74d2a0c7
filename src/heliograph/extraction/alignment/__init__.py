"""Looks for every value that a model said on the words that were read.

    found = Alignment(document.pages).align(values, schema)      # {path: Leaf}

Pages become boards once: runs of words and a folded stream (board, folding). A value's places are found by what it is (seeking): numbers
and dates by value (figures), texts as they are, with letters misread, or in pieces (texts). Of several places one is chosen by the label
beside it (captions), by other values of its object or row (rows), and by a box that the model stated, which never is a citation where
there are words (aligning). What no page says may follow from what it does (deriving).
"""

from heliograph.extraction.alignment.aligning import Alignment, Found

__all__ = ["Alignment", "Found"]
