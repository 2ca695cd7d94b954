"""What ships with the program: recipes, distributions, labels. Read through importlib.resources."""
