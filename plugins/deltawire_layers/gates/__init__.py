"""Gates: layers that work number by number, and tapes that compute many of them by one call."""

from deltawire_layers.gates.equations import GATES, Delta
from deltawire_layers.gates.tapes import Operation, Recorder, Tape, make_tape

__all__ = ["Delta", "GATES", "Operation", "Recorder", "Tape", "make_tape"]
