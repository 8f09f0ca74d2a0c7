"""Recordings made of recordings: cut, joined, captioned, marked, turned into GIFs, pictures and MP3.

`orders` says what can be asked, `cutter` is the door, and everything else runs in its children.
"""
