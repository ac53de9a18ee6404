"""The truth: SQL rows, blobs by content hash, the outbox, jobs and scopes. Knows nothing of HTTP and runs no models."""
