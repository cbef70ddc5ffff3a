"""Models that learn at a service: `Client.create_model` makes one, `Client.model` finds one."""
