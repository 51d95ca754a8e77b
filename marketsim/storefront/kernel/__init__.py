"""What runs compiled: pages, choices, arrivals."""
