"""Reading Python source and changing it: what a line means, where it is, and edits that keep every other byte."""
