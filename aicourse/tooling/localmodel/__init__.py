"""The embedded model on this machine: files, server, embedder."""
