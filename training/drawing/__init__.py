"""Draws documents whose every value and box is known: invented content in many layouts, languages and fonts, clean or worn.

`python -m training.drawing OUT_DIR --documents N --seed S` writes a folder that `heliograph eval` reads. `training/README.md` says
what these documents are and what they are not.
"""
