"""Bowerbird: one search box over everything a team works on, on hardware the team owns."""

__version__ = "0.1.0"
