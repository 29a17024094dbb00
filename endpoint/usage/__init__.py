"""How much the endpoint is used, how fast it answers, and for what: from what was counted by the hour."""
