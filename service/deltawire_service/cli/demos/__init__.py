"""deltawire demo: networks that learn by a run on a service, to be watched in the terminal."""
