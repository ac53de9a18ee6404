"""Learned rankers: each scores the features of candidates, and says what each feature adds to a score."""
