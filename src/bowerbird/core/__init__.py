"""Records, measures, errors, settings and ids: what every room shares. Imports nothing of ours."""
