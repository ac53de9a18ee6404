"""Contract tests that ship: a connector's or backend's own test file is a few lines on top of these."""
