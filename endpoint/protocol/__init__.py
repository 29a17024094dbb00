"""HTTP in, one message to the SDK, HTTP out: how requests reach what is served."""
