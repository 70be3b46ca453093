"""The notebook's side: a lesson's start, exercises and checks, widgets."""
