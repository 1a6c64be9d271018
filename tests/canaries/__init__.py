"""Secrets planted through the real pages of a running installation, and a search for them in all that it leaves."""
