"""Images that OpenCV does not read: the helper that reads any path, and what is done where there is none."""
