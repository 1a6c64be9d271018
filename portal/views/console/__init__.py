"""The console: what staff of an agency see and do. One file per part of it."""
