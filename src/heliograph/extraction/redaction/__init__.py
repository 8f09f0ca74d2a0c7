"""Copies of medical documents without what identifies people: found, then blacked out or replaced.

    found = find(document)                 # which words are identifiers, of the eighteen kinds of 45 CFR 164.514(b)(2)(i)
    made = await copy(reader, paths, document, found, path, ...)

`finding` finds, with `labelled`, `shapes`, `people` and `places`; `inventing` makes values to put in their place; `copying` draws the
pages anew and writes the file. Nothing here promises that all is found: a person must look.
"""
