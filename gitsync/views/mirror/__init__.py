"""Pages of the mirror: connecting it, how it stands, and what a person has to settle."""
