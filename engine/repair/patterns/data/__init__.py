"""Data of another shape than the code expects: keys, elements, None, operands, arguments."""
