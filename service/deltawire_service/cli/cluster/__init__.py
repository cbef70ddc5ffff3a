"""The commands of other machines: `deltawire worker`, and `deltawire cluster`."""
