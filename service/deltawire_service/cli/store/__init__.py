"""deltawire store: commands for the folder that models are kept in."""
