"""The part of the benchmark that measures signaling beside python-socketio's server."""
