"""A real Chromium against the real thing: uvicorn, a worker, a database, a forge."""
