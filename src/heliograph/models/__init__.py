"""Language and vision models by route: who is asked, in which dialect, with what it can do, and what happens when it does not answer.

`routes` says which configured model a name leads to, and is all that the API process imports. Workers hold one `Models`
(`serving`), whose `Backend`s keep the contract of `contract`.
"""
