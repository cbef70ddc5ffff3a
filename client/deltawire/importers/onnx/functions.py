"""Read an operator that ONNX defines by others, and a branch whose condition is known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import onnx

from deltawire.importers.onnx.inference import Types


def definition(node: onnx.NodeProto, types: Types, opset: int) -> tuple[list[onnx.NodeProto], int] | None:
    """Return the nodes that ONNX defines a node by, and the opset they are written in.

    Args:
        node: A node of ONNX's own operators.
        types: The types of its inputs, by name.
        opset: The opset of the node.

    Returns:
        The nodes, with the results of the node as theirs; None when ONNX has no such definition.
    """
    schema = onnx.defs.get_schema(node.op_type, opset, "")
    whole = onnx.NodeProto()
    whole.CopyFrom(node)
    given = {one.name for one in node.attribute}
    defaults = [one.default_value for name, one in schema.attributes.items() if name not in given]
    whole.attribute.extend(one for one in defaults if one.name)
    function = _function(schema, whole, types, opset)
    if function is None or any(_has_graph(one) for one in function.node):
        return None
    versions = [one.version for one in function.opset_import if one.domain in ("", "ai.onnx")]
    if any(one.domain not in ("", "ai.onnx") for one in function.node):
        return None
    return _renamed(whole, function), int(max(versions, default=opset))


def _function(
    schema: onnx.defs.OpSchema, node: onnx.NodeProto, types: Types, opset: int
) -> onnx.FunctionProto | None:
    """Return the latest definition of an operator that is not later than an opset."""
    function = onnx.FunctionProto()
    versions = [one for one in schema.function_opset_versions if one <= opset]
    if versions:
        function.ParseFromString(schema.get_function_with_opset_version(max(versions)))
        return function
    versions = [one for one in schema.context_dependent_function_opset_versions if one <= opset]
    if not versions:
        return None
    kinds = [types[name].SerializeToString() if name else b"" for name in node.input]
    text = schema.get_context_dependent_function_with_opset_version(
        max(versions), node.SerializeToString(), kinds
    )
    function.ParseFromString(text)
    return function


def _has_graph(node: onnx.NodeProto) -> bool:
    graphs = (onnx.AttributeProto.GRAPH, onnx.AttributeProto.GRAPHS)
    return any(one.type in graphs for one in node.attribute)


def _renamed(node: onnx.NodeProto, function: onnx.FunctionProto) -> list[onnx.NodeProto]:
    """Return the nodes of a definition, with the names and attributes of the node it defines."""
    own = next(name for name in node.output if name)
    names = _bound(function.input, node.input)
    names |= {inner: outer for inner, outer in _bound(function.output, node.output).items() if outer}
    attributes = {one.name: one for one in node.attribute}

    def named(inner: str) -> str:
        return names.get(inner, f"{own}.{inner}" if inner else "")

    nodes = []
    for one in function.node:
        copy = onnx.NodeProto(
            op_type=one.op_type, domain=one.domain, name=f"{node.name or own}.{one.op_type}"
        )
        copy.input.extend(map(named, one.input))
        copy.output.extend(map(named, one.output))
        for given in one.attribute:
            value = attributes.get(given.ref_attr_name) if given.ref_attr_name else given
            if value is not None:
                copy.attribute.add().CopyFrom(value)
                copy.attribute[-1].name = given.name
        nodes.append(copy)
    return nodes


def _bound(inner: Sequence[str], outer: Sequence[str]) -> dict[str, str]:
    """Return the outer name of each inner one; "" for one that the node leaves out."""
    return {name: outer[place] if place < len(outer) else "" for place, name in enumerate(inner)}


def branch(node: onnx.NodeProto, condition: bool) -> onnx.GraphProto:
    """Return the graph that an If runs for a condition."""
    wanted = "then_branch" if condition else "else_branch"
    return next(one.g for one in node.attribute if one.name == wanted)


def names_taken(graph: onnx.GraphProto) -> Iterator[str]:
    """Yield the name of each use of a result: by a node, by a node of a branch, or as an output."""
    for node in graph.node:
        yield from node.input
        for one in node.attribute:
            for inner in (*one.graphs, *([one.g] if one.type == onnx.AttributeProto.GRAPH else [])):
                yield from names_taken(inner)
    yield from (one.name for one in graph.output)
