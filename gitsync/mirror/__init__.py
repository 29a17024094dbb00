"""Both ways: the organisation's entities and a repository's files compared, and each side given what it lacks."""
