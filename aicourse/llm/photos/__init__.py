"""Photos: what a model is told about one, how it is sent, what it costs."""
