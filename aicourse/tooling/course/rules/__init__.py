"""The rules of the notebook lint."""
