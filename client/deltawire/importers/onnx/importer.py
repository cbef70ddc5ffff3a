"""Import ONNX models as networks; this needs the `onnx` package only, and no runtime."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike

from deltawire.arguments.kinds import boolean
from deltawire.client import Client
from deltawire.errors import Refused, missing_extra

try:
    import onnx
except ModuleNotFoundError as error:
    raise missing_extra("onnx", error) from error

from deltawire.importers.arguments import errors_named
from deltawire.importers.builder import Imported
from deltawire.importers.comparison import compare
from deltawire.importers.onnx.model import converted, loaded, sized
from deltawire.importers.onnx.original import Original
from deltawire.importers.onnx.reader import Reader
from deltawire.importers.onnx.readings import Reading, readings_of


def from_onnx(
    model: onnx.ModelProto | str | PathLike[str],
    *,
    sizes: Mapping[str, int] | None = None,
    batched: bool | None = None,
    check: bool = True,
    client: Client | None = None,
) -> Imported:
    """Import the network of an ONNX model, with its parameters.

    Initializers become parameters where a layer learns them, else constants. An initializer that is used in
    several ways becomes a constant too. The network's metadata holds the original names. Add a loss to train
    the network.

    Args:
        model: A loaded model, or the path of its file. A model of an opset before 13 is converted by ONNX's
            version converter.
        sizes: Sizes of its dynamic axes, by their names in the model (`{"height": 64}`), or by an input and a
            place in its shape (`{"x.2": 64}`).
        batched: True: the leading axis of its inputs is the batch, of any size, or the only dynamic one
            behind it. False: its inputs have no batch, and an example is a whole run of the model. None:
            True; a model of fixed sizes with a batch of 1 that takes no other is run for each example.
        check: Plan the network, and compare its values with those of ONNX's reference evaluator on two random
            batches of different sizes.
        client: The client for the check; by default, an embedded one.

    Returns:
        The network, its parameters, its constants, and the nodes that hold the model's outputs, always with
        the batch on the leading axis.

    Raises:
        Refused: Some nodes have no layer (code `not_expressible`, one fault for each node).
        NotInstalled: The check has no client, and `deltawire[service]` is not installed.
        OSError: The file cannot be read.
    """
    read = sized(converted(loaded(model)), sizes or {})
    compared = boolean("/check", check)
    *others, last = readings_of(read, None if batched is None else boolean("/batched", batched))
    for reading in others:
        try:
            return _imported(read, reading, compared, client)
        except Refused:
            continue  # the next reading takes all that this one takes, and more
    return _imported(read, last, compared, client)


def _imported(model: onnx.ModelProto, reading: Reading, check: bool, client: Client | None) -> Imported:
    """Import a model by one reading. Raises Refused when some nodes have no layer."""
    fixed: set[object] = set()
    with errors_named("the model"):
        while True:
            reader = Reader(model, reading, fixed)
            try:
                imported = reader.run()
                break
            except Refused:
                if reader.conflicts <= fixed:
                    raise
                fixed |= reader.conflicts  # read again, with these as constants
    if check:
        with errors_named("the comparison with ONNX's reference"):
            compare(imported, Original(model, imported, reading, reader.output_axes), client)
    return imported
