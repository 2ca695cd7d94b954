"""Third-party modules: the distributions that give them, and the places where a project declares those."""
