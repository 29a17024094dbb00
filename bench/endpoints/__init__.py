"""What `bench.endpoint` asks, and whom: Millrace, a server of the SDK alone, a gateway; each a program of its own."""
