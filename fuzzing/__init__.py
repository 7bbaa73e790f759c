"""Fuzzing of whatever a peer, an operator or a browser can send: `make fuzz`.

`targets.py` says what is fed and what must hold, `seeds.py` where it starts, `plain.py` and `guided.py` how inputs are
made (the second with atheris, by coverage), `__main__.py` shares out the time. `found/` keeps what once failed.
"""
