"""What people fill in: to connect a repository, to follow a branch, to give a credential, to automate."""
