"""Pictures made from pictures and numbers: edited, marked, put side by side, drawn as charts.

`orders` says what can be asked, `studio` is the door, and everything else runs in its children.
"""
