"""The small real world of `make demo`: people, servers, and a git repository with everything that repositories hold."""
