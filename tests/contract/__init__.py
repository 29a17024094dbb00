"""Checks against the forges' own published API descriptions (CONTRACTS_DIR)."""
