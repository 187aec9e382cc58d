"""The hospital's side, and the only code that opens a patient file; never imports the server."""
