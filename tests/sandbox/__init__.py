"""The sandbox, called over real sockets."""
