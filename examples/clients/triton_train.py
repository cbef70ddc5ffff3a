"""Train with a Triton client: the gradients of a served network are outputs of the model NAME:gradients.

The parameters start here and go with every request; the published ones do not change.
"""

from __future__ import annotations

import sys

import numpy as np
import tritonclient.http as triton

STEPS, RATE = 200, 1.0
DATATYPES = {"float64": "FP64", "int64": "INT64"}


def batch(seed: int = 0) -> dict[str, np.ndarray]:
    """Return points around three corners, one class each."""
    random = np.random.default_rng(seed)
    y = np.arange(60) % 3
    return {"x": 2 * np.eye(4)[y] + random.normal(0, 0.3, (60, 4)), "y": y}


def tensor(name: str, array: np.ndarray) -> triton.InferInput:
    sent = triton.InferInput(name, list(array.shape), DATATYPES[array.dtype.name])
    sent.set_data_from_numpy(array)
    return sent


def main(url: str = "http://127.0.0.1:8000") -> None:
    client = triton.InferenceServerClient(url.removeprefix("http://"))
    described = client.get_model_config("flow:gradients")["input"]
    shapes = {each["name"]: each["dims"] for each in described if "." in each["name"]}
    random = np.random.default_rng(1)
    params = {name: random.normal(0, 0.5, shape) for name, shape in shapes.items()}
    data = batch()
    wanted = [triton.InferRequestedOutput(f"gradients/params/{name}") for name in params]
    loss = triton.InferRequestedOutput("loss")
    for step in range(STEPS):
        inputs = [tensor(name, array) for name, array in (data | params).items()]
        answer = client.infer("flow:gradients", inputs, outputs=[loss, *wanted])
        for name in params:
            params[name] = params[name] - RATE * answer.as_numpy(f"gradients/params/{name}")
        if step % 50 == 0:
            print(f"step {step:3}  loss {answer.as_numpy('loss').item():.4f}")
    test = batch(seed=2)
    inputs = [tensor(name, array) for name, array in (test | params).items()]
    answer = client.infer("flow:gradients", inputs, outputs=[triton.InferRequestedOutput("values/probs")])
    right = (answer.as_numpy("values/probs").argmax(axis=1) == test["y"]).mean()
    print(f"{right:.0%} of new points right")
    if right < 0.95:
        sys.exit("it has not learned")


if __name__ == "__main__":
    main(*sys.argv[1:])
