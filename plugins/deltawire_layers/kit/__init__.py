"""The conformance kit: `check_layer` holds a layer against every rule of the contract."""
