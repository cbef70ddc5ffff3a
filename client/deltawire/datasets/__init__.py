"""Datasets that a service keeps: `Client.upload_dataset` makes one, `Client.dataset` finds one."""
