"""The coordinator's side: sees only what ``shared/wire.py`` lets through; never imports the client."""
