"""What is fetched while somebody searches, of sources that are not in the index yet: a few pages, and nothing is kept
but in the cache, for a minute or two."""
