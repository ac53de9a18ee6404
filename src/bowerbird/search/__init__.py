"""Search: the query language, retrieval as an expression, fusion, snippets, explanation. Start with `presets`."""
