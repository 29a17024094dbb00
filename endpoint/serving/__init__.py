"""What clients get: tools, resources and prompts, as the types of the protocol."""
