"""Fixtures that several rooms use."""

pytest_plugins = ["bowerbird.testing.fixtures"]
