"""Forms: what a browser may send, checked, with messages that help."""
