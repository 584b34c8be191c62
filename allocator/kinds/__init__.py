"""Every kind of constraint, one file per family, found by `constraints`: a new kind touches its own file and its test.

A kind has a `title`, a sentence that says what it asks (`says`), fields, a docstring with its `Source:` in law, `rows`
and `check`, written apart, and an `example` on the small scenario in `example.py`.
"""
