"""HTTP around the routes: the context of a request, bodies, problem documents, headers."""
