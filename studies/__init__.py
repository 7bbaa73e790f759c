"""Measurements of whole simulated networks; `docs/study.md` is made from them (`python -m studies --help`)."""
