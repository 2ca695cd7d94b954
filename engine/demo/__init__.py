"""The demo: generated pictures, simulated decisions, and everything the engine does with them."""
