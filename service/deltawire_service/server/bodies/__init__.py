"""Bodies of requests, as the server has received them."""
