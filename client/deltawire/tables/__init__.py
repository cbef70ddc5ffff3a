"""Tables of columns and a target: networks that learn them, and how rows of them become inputs."""
