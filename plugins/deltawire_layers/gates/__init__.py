"""Layers whose equations are recorded, and what computes many of them by one call: tapes and routines."""

from deltawire_layers.gates.equations import GATES, KEEPING, Recorded, function
from deltawire_layers.gates.matrices import MATRICES, most_rows
from deltawire_layers.gates.routines import Routine, Size, make_routine, value_sizes
from deltawire_layers.gates.tapes import Operation, Recorder, Tape, make_tape

EQUATIONS = GATES | MATRICES
"""What records the equations of a layer, by its class."""

__all__ = [
    "EQUATIONS",
    "GATES",
    "KEEPING",
    "MATRICES",
    "Operation",
    "Recorded",
    "Recorder",
    "Routine",
    "Size",
    "Tape",
    "function",
    "make_routine",
    "make_tape",
    "most_rows",
    "value_sizes",
]
