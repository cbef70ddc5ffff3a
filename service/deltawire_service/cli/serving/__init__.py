"""The commands that become a server: `deltawire serve`, and `deltawire trainer`."""
