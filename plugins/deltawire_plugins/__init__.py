"""The parts that every kind of plugin shares: fields for configs, and registries of entry points."""

from deltawire_plugins import config
from deltawire_plugins.registry import Group, Registered, Registry, RegistryError

__all__ = ["Group", "Registered", "Registry", "RegistryError", "config"]
