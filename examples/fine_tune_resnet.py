"""A ResNet-18 of torchvision learns digits at a service: python examples/fine_tune_resnet.py [URL].

Without a URL, the service runs in this process. `--weights DEFAULT` begins with the weights that torchvision
has learned from ImageNet, which it fetches itself.
"""

import sys
from argparse import ArgumentParser
from tempfile import mkdtemp

import numpy as np
import torch
from sklearn.datasets import load_digits

from deltawire import Client, optim
from deltawire.importers.torch_fx import from_torch


def fine_tune(client, module, images, labels, epochs, learning_rate=3e-4):
    """Train a torch module that classifies images by a run of a service; return the model that is kept."""
    network, params, constants, (scores,) = from_torch(module, torch.from_numpy(images[:1]), client=client)
    label = network.input("label", dtype="int64")
    network.loss = network.layer("softmax_nll", network[scores], label)
    optimizer = optim.adam(learning_rate)
    model = client.create_model(
        network, name="digits", params=params, constants=constants, optimizer=optimizer
    )
    model.fit({"x": images, "label": labels}, epochs=epochs, batch_size=50)
    return model, scores


def right(model, scores, images, labels):
    """Return the share of the images whose class the model finds."""
    found = [model.forward({"x": part}, [scores])[scores].argmax(1) for part in np.split(images, 5)]
    return np.mean(np.concatenate(found) == labels)


def upscaled_digits(size):
    """Return the digits of scikit-learn as images of three channels, and their classes, in a random order."""
    digits, stream = load_digits(), np.random.default_rng(0)
    order = stream.permutation(len(digits.target))[:1200]
    images = (digits.images[order] / 8 - 1).astype("float32").repeat(size // 8, 1).repeat(size // 8, 2)
    return np.repeat(images[:, np.newaxis], 3, axis=1), digits.target[order]


def main():
    from torchvision.models import resnet18

    arguments = ArgumentParser()
    arguments.add_argument("url", nargs="?")
    arguments.add_argument("--weights")
    given = arguments.parse_args()
    torch.manual_seed(0)
    images, labels = upscaled_digits(32)
    module = resnet18(weights=given.weights)
    module.fc = torch.nn.Linear(module.fc.in_features, 10)
    with torch.no_grad():  # the service computes norms with the statistics of the module: those of the digits
        for _ in range(50):
            module.train()(torch.from_numpy(images[:100]))
    client = Client(given.url) if given.url else Client(data_dir=mkdtemp())
    model, scores = fine_tune(client, module, images[:1000], labels[:1000], 4)
    share = right(model, scores, images[1000:], labels[1000:])
    print(f"right for {share:.1%} of unseen digits")
    return share < 0.9


if __name__ == "__main__":
    sys.exit(main())
