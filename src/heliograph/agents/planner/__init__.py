"""The embedded planner: answers requests in plain words with tools, where no language model is configured.

It is honest about what it is. It knows what the tools do and some hundred words for it, reads from the request what they need (files,
fields, numbers, pages, angles, colours), runs a short chain, and says plainly when a request needs a language model. What it does not
understand it
does not guess: a clause whose words it cannot account for gets a question back, or is declined.

`words` knows words, `slots` what is written in figures, `clauses` takes a request apart, `rules` say what a clause asks for,
`doing` does it, and `running` is the whole.
"""

from heliograph.agents.planner.running import run

__all__ = ["run"]
