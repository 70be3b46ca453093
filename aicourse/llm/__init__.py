"""Talk to a model: catalogue, client, recordings, faults, download, server."""
