"""The routes that compute or compile a posted network, one a file."""
