"""The parts of the preview pipeline: replies and driver, half-blocks, sixel, kitty, surfaces and pacing."""
