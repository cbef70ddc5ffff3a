"""Plan a request before it is computed: its targets, its program, its memory, and checks of its input."""
