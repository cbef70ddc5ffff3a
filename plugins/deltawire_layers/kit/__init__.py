"""What the conformance kit is made of; its face is `deltawire_layers.check`."""
