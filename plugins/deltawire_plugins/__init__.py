"""The parts that every kind of plugin shares: fields for configs, and registries of entry points."""

from deltawire_plugins import config
from deltawire_plugins.registry import Group, Registered, Registry, RegistryError
from deltawire_plugins.translations import LANGUAGE, Translations, load_translations, read_texts

__all__ = [
    "LANGUAGE",
    "Group",
    "Registered",
    "Registry",
    "RegistryError",
    "Translations",
    "config",
    "load_translations",
    "read_texts",
]
