"""Find a token in sequences of any length: python examples/recipes/attention_with_padding.py [URL].

The padding is the very token that is looked for, so that only the masks can tell it from a real one.
"""

import sys

import numpy as np
from rich.progress import track

from deltawire import Client, Network, optim

PLACES, TOKENS, WANTED, WIDTH = 8, 6, 3, 16
stream = np.random.default_rng(0)


def batch(count):
    lengths = stream.integers(1, PLACES + 1, count)
    real = np.arange(PLACES) < lengths[:, np.newaxis]
    tokens = np.where(real, stream.integers(0, TOKENS, (count, PLACES)), WANTED)
    return {
        "tokens": tokens,
        "mask": np.repeat(real[:, np.newaxis], PLACES, axis=1).astype(int),  # a key that is hidden has 0
        "share": (real / lengths[:, np.newaxis])[:, np.newaxis],
        "y": ((tokens == WANTED) & real).any(axis=1).astype(int),
    }


net = Network()
tokens = net.input("tokens", shape=(PLACES,), dtype="int64")
mask = net.input("mask", shape=(PLACES, PLACES), dtype="int64")
share = net.input("share", shape=(1, PLACES))  # the mean over real places, as a product of matrices
vectors = net.layer("embedding", tokens, rows=TOKENS, width=WIDTH)
vectors = vectors + net.parameter("positions", shape=(PLACES, WIDTH), normal=0.02)
seen = net.layer("multi_head_attention", vectors, vectors, vectors, mask, heads=2)
mean = (share @ net.layer("layer_norm", vectors + seen))[0]
hidden = net.layer("relu", net.layer("linear", mean, units=32))
scores = net.layer("linear", hidden, units=2, name="scores")
net.loss = net.layer("softmax_nll", scores, net.input("y", dtype="int64"))

client = Client(*sys.argv[1:])  # without a URL, the service runs in this process
params = client.init(net, seed=0)
optimizer = optim.adam(learning_rate=0.005)
for _ in track(range(300), "training"):
    loss, gradients = client.value_and_grad(net, params, batch(64))
    optimizer.step(params, gradients)

unseen = batch(1000)
labels = unseen.pop("y")
right = np.mean(client.forward(net, params, unseen)["scores"].argmax(axis=1) == labels)
print(f"right for {right:.1%} of unseen sequences; always yes would be {labels.mean():.1%}")
if right < 0.95:
    sys.exit("the token is not found")
