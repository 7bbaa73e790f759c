"""A long run of real nodes with churn and traffic, in which nothing may grow: `make soak`.

`watched.py` is a process with three nodes that stay; `visitors.py` come, go and talk; `verdict.py` judges the samples.
"""
