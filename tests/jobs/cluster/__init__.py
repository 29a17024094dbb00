"""A real cluster for the tests: processes of their own, over a database of their own."""
