"""What SMART App Launch 2.2.0 asks of a server, requirement by requirement."""
