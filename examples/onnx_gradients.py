"""Train an ONNX model, which has no gradients of its own: python examples/onnx_gradients.py [URL]."""

import sys

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from deltawire import Client
from deltawire.exporters.onnx import to_onnx
from deltawire.importers.onnx import from_onnx

stream = np.random.default_rng(0)
shapes = {"body.0.weight": (8, 4), "body.0.bias": (8,), "body.2.weight": (3, 8), "body.2.bias": (3,)}
numbers = {name: stream.standard_normal(shape).astype(np.float32) / 2 for name, shape in shapes.items()}
graph = helper.make_graph(
    [
        helper.make_node("Gemm", ["x", "body.0.weight", "body.0.bias"], ["hidden"], transB=1),
        helper.make_node("Relu", ["hidden"], ["active"]),
        helper.make_node("Gemm", ["active", "body.2.weight", "body.2.bias"], ["scores"], transB=1),
    ],
    "classifier",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 4])],
    [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["batch", 3])],
    [numpy_helper.from_array(array, name) for name, array in numbers.items()],
)
model = helper.make_model(graph)  # or onnx.load("model.onnx")

network, params, constants, outputs = from_onnx(model)
label = network.input("label", dtype="int64")
network.loss = network.layer("softmax_nll", network[outputs[0]], label, name="loss")

x = stream.standard_normal((200, 4)).astype(np.float32)
data = constants | {"x": x, "label": (x[:, 0] > 0).astype(np.int64) + (x[:, 1] > 0)}
with Client(sys.argv[1] if len(sys.argv) > 1 else None) as client:  # without a URL, it runs in this process
    for epoch in range(200):
        loss, gradients = client.value_and_grad(network, params, data)
        for name, gradient in gradients.items():
            params[name] -= 0.5 * gradient
        if epoch % 50 == 0:
            print(f"epoch {epoch}: loss {loss:.3f}")
    trained = to_onnx(network, params, outputs=outputs, client=client)

size = len(trained.SerializeToString())
print(f"loss at the end: {loss:.3f}; the trained model has {size} bytes of ONNX")
sys.exit(not loss < 0.15)
