"""Programs that a model or a skill wrote, run where they can do no harm: one process each, without network, rights, or files but its own.

`running.Sandbox` runs a `script.Script` and answers with what came of it; `jail` says what a program sees of this machine; `inside` is
the program's side.
"""
