"""The pages of git push sync."""
