"""Authoring: a master notebook and its checks become the notebook that students get."""
