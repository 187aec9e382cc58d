"""Sketches of medical pictures, one file a look: each shows a latent as size, texture and contrast."""
