"""The face for authors and for training loops: optimizers, schedules, clipping, the conformance check."""

from deltawire_optimizers.config_keys import CONFIG_KEYS
from deltawire_optimizers.conformance import ConformanceError, check_optimizer
from deltawire_optimizers.gradients import NO_CLIP, Clip, global_norm, scale_to_norm, squared_norm
from deltawire_optimizers.optimizer import (
    Array,
    Optimizer,
    Param,
    Shape,
    StateArray,
    Step,
    learning_rate_field,
)
from deltawire_optimizers.registry import Registry, load_optimizers
from deltawire_optimizers.schedules import SCHEDULES, Schedule, dump_schedule, load_schedule
from deltawire_optimizers.update import init_state, update
from deltawire_plugins import RegistryError, config

__all__ = [
    "Array",
    "CONFIG_KEYS",
    "Clip",
    "ConformanceError",
    "NO_CLIP",
    "Optimizer",
    "Param",
    "Registry",
    "RegistryError",
    "SCHEDULES",
    "Schedule",
    "Shape",
    "StateArray",
    "Step",
    "check_optimizer",
    "config",
    "dump_schedule",
    "global_norm",
    "init_state",
    "learning_rate_field",
    "load_optimizers",
    "load_schedule",
    "scale_to_norm",
    "squared_norm",
    "update",
]
