"""Sources that are repositories: read as integrations read theirs, and written as pages of the index."""
