"""What a model does: evaluated at points, matched with another's, and run on a common stimulus."""
