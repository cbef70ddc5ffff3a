"""The example of a ResNet that learns digits at a service, run with a small residual network of torch."""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.console import ROOT

from deltawire import Client, optim

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def example() -> Any:
    pytest.importorskip("torch")
    spec = importlib.util.spec_from_file_location(
        "fine_tune_resnet", ROOT / "examples" / "fine_tune_resnet.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def small_resnet(torch: Any) -> Any:
    """A ResNet in small: a stem, a block with a shortcut, one that halves the image, a pool, a head."""
    nn = torch.nn

    def convolution(before: int, after: int, kernel: int, stride: int = 1) -> Any:
        return nn.Conv2d(before, after, kernel, stride, padding=kernel // 2, bias=False)

    class Block(nn.Module):
        def __init__(self, before: int, after: int, stride: int):
            super().__init__()
            self.conv1, self.bn1 = convolution(before, after, 3, stride), nn.BatchNorm2d(after)
            self.conv2, self.bn2 = convolution(after, after, 3), nn.BatchNorm2d(after)
            self.downsample = None
            if stride > 1:
                self.downsample = nn.Sequential(convolution(before, after, 1, stride), nn.BatchNorm2d(after))

        def forward(self, x: Any) -> Any:
            shortcut = x if self.downsample is None else self.downsample(x)
            inner = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
            return torch.relu(inner + shortcut)

    class ResNet(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv1, self.bn1 = convolution(3, 8, 3), nn.BatchNorm2d(8)
            self.layer1, self.layer2 = Block(8, 8, 1), Block(8, 16, 2)
            self.avgpool, self.fc = nn.AdaptiveAvgPool2d(1), nn.Linear(16, 10)

        def forward(self, x: Any) -> Any:
            x = self.layer2(self.layer1(torch.relu(self.bn1(self.conv1(x)))))
            return self.fc(torch.flatten(self.avgpool(x), 1))

    return ResNet()


def test_a_small_resnet_learns_the_digits(example: Any, tmp_path: Path) -> None:
    torch = example.torch
    torch.manual_seed(0)
    images, labels = example.upscaled_digits(8)
    module, client = small_resnet(torch), Client(data_dir=tmp_path)
    with torch.no_grad():
        for _ in range(30):
            module.train()(torch.from_numpy(images[:200]))
    model, scores = example.fine_tune(client, module, images[:1000], labels[:1000], 4, 5e-3)
    seen = model, scores, images[1000:], labels[1000:]
    assert example.right(*seen) > 0.8
    assert model.version == 4 * 20 and images.dtype == np.float32
    # What was learned goes back into the module, which then finds the same classes.
    to_state_dict = importlib.import_module("deltawire.exporters.torch").to_state_dict
    checkpoint = model.checkpoint()
    learned = to_state_dict(checkpoint.network, checkpoint.params, checkpoint.constants)
    module.load_state_dict(learned, strict=False)
    found = module.eval()(torch.from_numpy(images[1000:])).argmax(1).numpy()
    assert np.mean(found == labels[1000:]) == example.right(*seen)


def test_a_run_learns_what_torch_learns_with_the_same_statistics(example: Any, tmp_path: Path) -> None:
    torch = example.torch
    torch.manual_seed(1)
    images, labels = example.upscaled_digits(8)
    images, labels, module = images[:40], labels[:40], small_resnet(torch)
    with torch.no_grad():
        for _ in range(30):
            module.train()(torch.from_numpy(images))
    from_torch = importlib.import_module("deltawire.importers.torch_fx").from_torch
    to_state_dict = importlib.import_module("deltawire.exporters.torch").to_state_dict
    client, module = Client(data_dir=tmp_path), module.eval().double()
    network, params, constants, (scores,) = from_torch(
        module, torch.from_numpy(images[:1]).double(), client=client
    )
    network.loss = network.layer("softmax_nll", network[scores], network.input("label", dtype="int64"))
    model = client.create_model(
        network, name="digits", params=params, constants=constants, optimizer=optim.sgd(0.1, momentum=0.9)
    )
    model.fit({"x": images, "label": labels}, epochs=3, batch_size=10, shuffle=False, progress=False)
    sgd = torch.optim.SGD(module.parameters(), 0.1, momentum=0.9)
    for _ in range(3):
        for start in range(0, 40, 10):
            found = module(torch.from_numpy(images[start : start + 10]).double())
            torch.nn.functional.cross_entropy(found, torch.from_numpy(labels[start : start + 10])).backward()
            sgd.step()
            sgd.zero_grad()
    checkpoint = model.checkpoint()
    learned = to_state_dict(checkpoint.network, checkpoint.params, checkpoint.constants)
    theirs = {name: tensor for name, tensor in module.state_dict().items() if "num_batches" not in name}
    assert learned.keys() == theirs.keys()
    for name, tensor in theirs.items():
        torch.testing.assert_close(learned[name], tensor, rtol=1e-9, atol=1e-9)
