"""Gates: layers that work number by number, and tapes that compute many of them by one call."""

from deltawire_layers.gates.equations import GATES, KEEPING, Delta, function
from deltawire_layers.gates.tapes import Operation, Recorder, Tape, make_tape

__all__ = ["Delta", "GATES", "KEEPING", "Operation", "Recorder", "Tape", "function", "make_tape"]
