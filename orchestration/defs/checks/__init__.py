"""Asset checks of the gates."""
