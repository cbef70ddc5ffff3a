"""The commands `deltawire models …`: models that learn at a service, or in a folder of this machine."""
