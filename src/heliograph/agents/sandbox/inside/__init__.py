"""What runs inside the sandbox. Standard library only: in there, `heliograph` does not exist."""
